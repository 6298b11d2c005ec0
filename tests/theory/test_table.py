"""Tables of learning times: read as they are meant, or refused by line."""

import numpy as np
import pytest

from conceptspace.theory.table import read_times

HEADER = "setting,concept,seed,signal,time,end"
TABLE = f"""{HEADER}
0.2,colour,0,1.5,900,2000
0.2,colour,1,1.5,,2000
0.2,size,0,3,400,2000
0.4,colour,0,2.5,inf,1500
0.4,size,0,3,450,1500
"""


def test_a_table_becomes_arrays_with_holes_where_there_is_no_seed():
    table = read_times(TABLE.splitlines())
    assert (table.settings, table.concepts) == (("0.2", "0.4"), ("colour", "size"))
    assert table.signal.tolist() == [[1.5, 3], [2.5, 3]]
    expected = [[[900, np.inf], [400, np.nan]], [[np.inf, np.nan], [450, np.nan]]]
    np.testing.assert_array_equal(table.times, expected)
    assert table.ends.tolist() == [[[2000, 2000], [2000, 1]], [[1500, 1], [1500, 1]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("setting,concept,seed,time,end\n", "column 'signal' is missing; there must be setting"),
        (HEADER, "the table has no line below its header"),
        (f"{HEADER}\na,b,0,x,1,2", "line 2: signal must be a number, not 'x'"),
        (f"{HEADER}\na,b,0,,1,2", "line 2: signal must be a number, not ''"),
        (f"{HEADER}\na,b,0,1,1,2\na,b,0,1,1,2", r"line 3: .*\('a', 'b', '0'\) come twice"),
        (f"{HEADER}\na,b,0,1,1,2\na,b,1,2,1,2", "setting 'a', concept 'b': seeds give signals"),
        (f"{HEADER}\na,b,0,1,1,2\nc,d,0,1,1,2", "setting 'a', concept 'd': there is no line"),
        (f"{HEADER}\na,b,0,1", "line 2: end must be a number, not ''"),
    ],
)
def test_a_wrong_table_is_refused_by_line_and_column(text, message):
    with pytest.raises(ValueError, match=message):
        read_times(text.splitlines())
