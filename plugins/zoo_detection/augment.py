class BatchAugment:
    pass
