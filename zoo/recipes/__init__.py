"""From a TOML file to components: read, merged, checked, built, and where every value came from."""
