"""Many runs as one resumable job in one folder, here or on many machines."""
