"""The data room: picture bytes, annotation readers, samples, synthetic scenes, transforms."""
