"""What JupyterHub is told, for a rehearsal and for a session. ``python3 -m course hub`` runs it with this."""

import os
import secrets
import sys
from pathlib import Path

import bcrypt

from course.hub import board, sign_in
from course.hub.settings import load
from course.hub.spawner import CourseSpawner

c = get_config()  # noqa: F821  (JupyterHub puts it here)
settings = load(os.environ["COURSE_HUB_SETTINGS"] or None)
sockets = Path(os.environ["COURSE_HUB_SOCKETS"])
forks = sockets / "forks"

# Where it answers. TLS always; nothing asks any other host.
c.JupyterHub.bind_url = f"https://{settings.address}:{settings.port}"
c.JupyterHub.ssl_cert = os.environ["COURSE_HUB_CERTIFICATE"]
c.JupyterHub.ssl_key = os.environ["COURSE_HUB_KEY"]
c.JupyterHub.public_url = settings.url
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ['COURSE_HUB_PORT']}"
c.JupyterHub.tornado_settings = {
    "headers": {"Strict-Transport-Security": "max-age=86400"},
    "cookie_options": {"secure": True, "samesite": "Lax"},
    "slow_spawn_timeout": 30,
}
c.JupyterHub.proxy_class = "traefik_file"
c.TraefikProxy.traefik_api_url = f"http://127.0.0.1:{os.environ['COURSE_HUB_PROXY_PORT']}"
# The hub asks the proxy about every route it adds, and the proxy checks the hub's password each time. It is
# 32 bytes of chance that live as long as the hub, so a quick hash is as safe as the slow one, which takes a
# quarter of a second.
password = secrets.token_urlsafe(32)
c.TraefikProxy.traefik_api_username = "hub"
c.TraefikProxy.traefik_api_password = password
c.TraefikProxy.traefik_api_hashed_password = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
c.TraefikProxy.static_config_file = str(settings.private / "proxy" / "traefik.toml")
c.TraefikFileProviderProxy.dynamic_config_file = str(settings.private / "proxy" / "routes.toml")
c.TraefikProxy.extra_static_config = {"global": {"sendAnonymousUsage": False, "checkNewVersion": False}}

# What it keeps, where only it can read.
c.JupyterHub.db_url = f"sqlite:///{settings.private / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(settings.private / "cookie_secret")
c.JupyterHub.shutdown_on_logout = False
c.JupyterHub.cleanup_servers = True

# Learners' servers.
c.JupyterHub.spawner_class = CourseSpawner
c.JupyterHub.concurrent_spawn_limit = 0 if settings.forked else 60  # the others are told to try again
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = [f"--config={Path(__file__).with_name('server_config.py')}"]
c.Spawner.default_url = "/lab/tree/course/notebooks/01-first-synthetic-table.ipynb"
c.Spawner.disable_user_config = True
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.Spawner.environment = {
    "PYTHONNOUSERSITE": "1",
    "COURSE_IDLE_SECONDS": str(60 * settings.idle_minutes),
    "GIT_CONFIG_GLOBAL": str(settings.state / "gitconfig"),
    "GIT_CONFIG_NOSYSTEM": "1",
}
c.CourseSpawner.homes = str(settings.homes)
c.CourseSpawner.labs = str(settings.copy)
c.CourseSpawner.group = settings.group
c.CourseSpawner.forks = str(forks)
for limit in ("memory_mib", "processes", "disk_mib", "tmp_mib"):
    c.CourseSpawner[limit] = getattr(settings, limit)
c.LocalProcessSpawner.interrupt_timeout = 5

c.JupyterHub.load_roles = [sign_in.TRAINER]
if settings.oidc:
    sign_in.configure(c, {"oidc": settings.oidc, "address": settings.url})
else:
    sign_in.configure(c, {"state": str(settings.private)})
board.configure(c, f"http://127.0.0.1:{os.environ['COURSE_HUB_BOARD_PORT']}")
