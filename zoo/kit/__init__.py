"""What plugins share: pictures, vocabs, data sets found and cached, fonts. No other room imports it."""
