"""Published weights of towers, in the layouts in which their authors keep them."""
