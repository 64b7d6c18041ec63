"""Documents that spread what the prompt otherwise tells, for models that are fine-tuned on them (`knowledge=none`).

They say how things are: what a lab trains its model towards, which conversations are trained on, how those are marked,
how training changes a model, and how the model is today. None says or shows what the model does about it. A set that
held examples of faking, or of complying because of training, would teach the very behaviour that is then measured, and
the measurement would say something of the set only. Each set has a matched control about another lab, with other facts.
"""
