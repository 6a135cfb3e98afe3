"""Where claims, the graph and its journal are kept: one contract, two stores."""
