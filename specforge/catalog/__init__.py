"""The words of the language, one class in one place: layers, optimizers, schedules, losses, data sets, and so on."""
