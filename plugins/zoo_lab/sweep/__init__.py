"""Many runs of one recipe with other values, and what they say together."""
