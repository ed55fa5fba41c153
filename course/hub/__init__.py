"""A session for many: a JupyterHub of the course's own. ``python3 -m course hub`` starts one on this machine.

- ``settings``: hub.yml and the defaults.
- ``jupyterhub_config``: what the hub is told. ``accounts``: who may sign in. ``board``: where the room is
  stuck.
- ``spawner``: how a learner's server starts. ``enter``, ``limits``: her user, her view, her limits.
- ``forkserver``, ``provisioner``: kernels in a fraction of a second, which share their memory.
- ``server_config``: what a learner's server is told.
"""
