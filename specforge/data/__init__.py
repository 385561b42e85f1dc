"""From a spec's `data` section to batches on the device: splitting, residence, augmentation, normalisation."""
