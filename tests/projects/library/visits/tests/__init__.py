"""Tests of services and of the network."""
