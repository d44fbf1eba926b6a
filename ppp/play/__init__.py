"""The live page: one humanoid in real time, told what to do by everybody who has the page open."""
