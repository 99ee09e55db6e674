"""Subjects of a picture: where they are, one by one, and depth that ends at their outlines.

picture -> masks.find_masks -> person, salient
person, disparity -> instances -> one mask for each person
disparity, masks -> surface -> one surface for each subject, and the background behind it
both, masks, photo -> outline -> disparity at the photo's size, cut by the masks
"""

from pullfocus.depth.subjects.instances import masks_of_people, people_in
from pullfocus.depth.subjects.masks import SubjectMasks, find_masks

__all__ = ["SubjectMasks", "find_masks", "masks_of_people", "people_in"]
