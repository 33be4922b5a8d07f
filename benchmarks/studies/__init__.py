"""Programs that answer one question each: success of the experts, early stopping of a test, training on a GPU."""
