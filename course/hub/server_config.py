"""A learner's server on a hub: JupyterLab, quiet, and with no more than a lesson needs. The hub names this
file."""

import os

from course.hub import provisioner

c = get_config()  # noqa: F821  (Jupyter puts it here)

c.ServerApp.root_dir = os.environ["HOME"]
c.ServerApp.terminals_enabled = False
unused = ("jupyter_lsp", "jupyter_server_terminals", "jupyterlab_jupytext")  # they cost time and memory
c.ServerApp.jpserver_extensions = dict.fromkeys(unused, False)
c.ServerApp.allow_remote_access = True  # the hub's proxy asks in the hub's name
# JupyterLab works these two out when it is imported, and that is in the forkserver, which has no home.
lab = os.environ["HOME"] + "/.jupyter/lab"
c.LabApp.user_settings_dir, c.LabApp.workspaces_dir = f"{lab}/user-settings", f"{lab}/workspaces"
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.FileContentsManager.delete_to_trash = False

# Kernels: forked where they can be, spoken to through files that only this user can open.
c.KernelManager.transport = "ipc"
c.KernelProvisionerFactory.default_provisioner_name = provisioner.NAME
provisioner.register()

# A kernel that nobody has used for a while gives its memory back, though its page is still open. Lunch is
# shorter.
c.MappingKernelManager.cull_idle_timeout = int(os.environ.get("COURSE_IDLE_SECONDS", 5400))
c.MappingKernelManager.cull_interval = 300
c.MappingKernelManager.cull_connected = True
