"""Tests of zoo_seq."""
