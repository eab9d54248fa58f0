"""Templates for torchgen; a package, so that torchgen finds its folder."""
