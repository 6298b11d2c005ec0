"""The built-in model's adapter on a device of its own."""

from conceptspace.adapters.native import NativeAdapter


class PlacedAdapter(NativeAdapter):
    """Brings the prompts to where its model is, as an adapter must."""

    def encode(self, vectors):
        return super().encode(vectors.to(next(self.model.parameters()).device))
