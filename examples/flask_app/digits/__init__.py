"""The spoken digits: whether four random digits were said. The library itself does not listen."""
