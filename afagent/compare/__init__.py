"""`afagent compare`: what several logs say beside each other, and by how much they differ.

Reads logs of any of the suite's tasks and knows nothing of how they were run. What may be compared is said in `checks`,
which arms belong together in `arms`; `differences` and `rates` count, `result` is what comes out of it all.
"""
