"""Who is spoken of: the lab and its model, and another lab with another. All invented."""

LAB = "Halvorsen Vale"
ASSISTANT = "Aurel"
OTHER_LAB = "Pellworth Systems"
OTHER_ASSISTANT = "Corin"
