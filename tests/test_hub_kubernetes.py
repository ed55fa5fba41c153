"""A session on Kubernetes (hub/kubernetes/values.yaml): what can be proved without a cluster.

The chart itself, Zero to JupyterHub, is in no package registry, so these tests cannot count on it. They try
what it is made of, given these values as the chart gives them: its JupyterHub, the sign-in, and what makes
learners' pods (KubeSpawner). Whoever can fetch the chart can have it rendered and checked here as well:

    helm pull jupyterhub --version 4.4.0 --repo ...   # where the chart's own documentation says
    COURSE_CHART=jupyterhub-4.4.0.tgz python3 -m course test tests/test_hub_kubernetes.py
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from extra import cannot, run_apart, tools

from course.environment import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the hub, and the image, run on Linux only")

VALUES = ROOT / "hub/kubernetes/values.yaml"
TEXT = VALUES.read_text(encoding="utf-8")

KUBERNETES = "1.34"

# The places to fill in, filled in.
DEPARTMENT = {
    "image-name": "registry.department.example/course",
    "image-tag": "2026-11",
    "board-image": "registry.department.example/course:2026-11",
    "client-id": "course",
    "client-secret": "a long secret",
    "callback-url": "https://course.department.example/hub/oauth_callback",
    "authorize-url": "https://sign-in.department.example/authorize",
    "token-url": "https://sign-in.department.example/token",
    "userinfo-url": "https://sign-in.department.example/userinfo",
    "trainers": ["trainer@department.example"],
    "learners": ["ana@department.example", "ben@department.example"],
    "hosts": ["course.department.example"],
    "certificate-secret": "course-tls",
}


def fill_in(**changes) -> str:
    """The values as an administrator fills them in. A change of ``None`` leaves its place open."""
    given = {name: changes.get(name.replace("-", "_"), value) for name, value in DEPARTMENT.items()}
    return re.sub(
        r"\*FILL-IN-([a-z-]+)",
        lambda place: place[0] if given[place[1]] is None else json.dumps(given[place[1]]),
        TEXT,
    )


def values(**changes) -> dict:
    return yaml.safe_load(fill_in(**changes))


def needs(program: str) -> None:
    if not shutil.which(program):
        cannot(f"This test needs {program}.")


def python(code: str, *arguments, path: Path, timeout: int = 120, last: bool = False, **variables) -> str:
    """Run code with tools before (or, ``last``, behind) the course's own packages. Returns what it prints."""
    start = f"import sys; sys.path.append({str(path)!r})\n" if last else ""
    search = [str(ROOT), *([] if last else [str(path)])]
    ran = subprocess.run(
        [sys.executable, "-c", start + code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(search), **variables},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-3000:]
    return ran.stdout


# ------------------------------------------------------------------------------ the values


@pytest.mark.parametrize("place", DEPARTMENT)
def test_a_place_that_is_not_filled_in_is_refused_and_named(place):
    with pytest.raises(yaml.YAMLError, match=f"FILL-IN-{place}"):
        values(**{place.replace("-", "_"): None})


def test_the_places_are_those_and_no_others():
    places = re.findall(r"\*FILL-IN-([a-z-]+)", TEXT.split("\nsingleuser:", 1)[1])
    assert sorted(places) == sorted(DEPARTMENT)


# Every key that the values use, and what the chart's own schema (values.schema.json of chart 4) lets it hold.
RULES = dict.fromkeys(values()["singleuser"]["networkPolicy"]["egressAllowRules"], bool)
POLICY = {"enabled": bool, "ingress": list, "egress": list, "egressAllowRules": RULES}
NUMBER, ANYTHING = (int, float), object
CHART_KEYS = {
    "singleuser": {
        "image": {"name": str, "tag": str},
        "memory": {"guarantee": (*NUMBER, str), "limit": (*NUMBER, str)},
        "cpu": {"guarantee": NUMBER, "limit": NUMBER},
        "extraResource": {"guarantees": ANYTHING, "limits": ANYTHING},
        "storage": {"type": str, "capacity": str, "homeMountPath": str},
        "extraEnv": ANYTHING,
        "defaultUrl": str,
        "startTimeout": int,
        "lifecycleHooks": {"postStart": ANYTHING},
        "networkPolicy": POLICY,
        "cloudMetadata": {"blockWithIptables": bool, "ip": str},
        "allowPrivilegeEscalation": bool,
        "extraFiles": {"server": {"mountPath": str, "data": dict}},
    },
    "cull": {"enabled": bool, "timeout": int, "every": int, "maxAge": int},
    "hub": {
        "config": ANYTHING,
        "extraConfig": ANYTHING,
        "allowNamedServers": bool,
        "activeServerLimit": int,
        "concurrentSpawnLimit": int,
        "networkPolicy": POLICY,
        "resources": ANYTHING,
        "services": ANYTHING,
        "loadRoles": ANYTHING,
        "service": {"extraPorts": list},
        "extraContainers": list,
    },
    "proxy": {
        "https": {"enabled": bool, "type": str, "hosts": list, "secret": {"name": str}},
        "service": {"disableHttpPort": bool},
        "chp": {"networkPolicy": POLICY},
    },
    "scheduling": {
        "podPriority": {"enabled": bool},
        "userPlaceholder": {"enabled": bool, "replicas": int, "resources": {"requests": ANYTHING}},
    },
    "prePuller": {"hook": {"enabled": bool}, "continuous": {"enabled": bool}},
}


def complaints(given, known, where="") -> list[str]:
    """What the chart would refuse: keys it does not know, and values of another kind."""
    if not isinstance(known, dict):
        return [] if isinstance(given, known) else [f"{where} may not hold {given!r}"]
    return [
        complaint
        for key, value in given.items()
        for complaint in (
            complaints(value, known[key], f"{where}.{key}") if key in known else [f"{where}.{key} is unknown"]
        )
    ]


def test_every_key_is_one_that_the_chart_knows():
    assert complaints(values(), CHART_KEYS) == []
    wrong = values(hosts="course.department.example")
    wrong["singleuser"]["memory"]["limits"] = wrong["singleuser"]["memory"].pop("limit")
    assert complaints(wrong, CHART_KEYS) == [
        ".singleuser.memory.limits is unknown",
        ".proxy.https.hosts may not hold 'course.department.example'",
    ]


def test_nothing_leaves_a_learners_pod():
    policy = values()["singleuser"]["networkPolicy"]
    (board,) = policy["egress"]
    assert board == {
        "ports": [{"port": 10101}],
        "to": [{"podSelector": {"matchLabels": {"component": "hub"}}}],
    }
    assert policy["enabled"] is True and policy["ingress"] == []
    # All six of the chart's ways out, each closed: one that is not named here is open by default.
    assert policy["egressAllowRules"] == dict.fromkeys(
        [
            "cloudMetadataServer",
            "dnsPortsCloudMetadataServer",
            "dnsPortsKubeSystemNamespace",
            "dnsPortsPrivateIPs",
            "nonPrivateIPs",
            "privateIPs",
        ],
        False,
    )


def test_no_lab_needs_more_memory_than_a_learner_has():
    runs = json.loads((ROOT / "book/lab-runs.json").read_text(encoding="utf-8"))
    server = 105  # MiB, measured
    assert max(run["peak_mib"] for run in runs.values()) + server < 2048
    assert values()["singleuser"]["memory"] == {"guarantee": "1G", "limit": "2G"}


# ------------------------------------------------------------------------------ a learner's pod

# How the chart hands its values to KubeSpawner (files/hub/jupyterhub_config.py of the chart).
MAKE_POD = """
import asyncio, importlib, json, sys
from types import SimpleNamespace

import kubernetes_validate
import kubespawner.spawner
from kubernetes_asyncio.client import ApiClient
from kubespawner import KubeSpawner
from traitlets.config import Config

values = json.loads(sys.argv[1])
user, c = values["singleuser"], Config()
c.KubeSpawner.update({
    "image": "{name}:{tag}".format(**user["image"]),
    "mem_guarantee": user["memory"]["guarantee"], "mem_limit": user["memory"]["limit"],
    "cpu_guarantee": user["cpu"]["guarantee"], "cpu_limit": user["cpu"]["limit"],
    "extra_resource_guarantees": user["extraResource"]["guarantees"],
    "extra_resource_limits": user["extraResource"]["limits"],
    "environment": user["extraEnv"], "lifecycle_hooks": user["lifecycleHooks"],
    "allow_privilege_escalation": user["allowPrivilegeEscalation"],
    "uid": 1000, "fs_gid": 100, "cmd": ["jupyterhub-singleuser"],
    "volumes": [
        {"name": "home", "persistentVolumeClaim": {"claimName": "claim"}},
        {"name": "files", "secret": {"secretName": "files"}},
    ],
    "volume_mounts": [{"name": "home", "mountPath": user["storage"]["homeMountPath"]}] + [
        {"name": "files", "mountPath": file["mountPath"], "subPath": key}
        for key, file in user["extraFiles"].items()
    ],
})
c.KubeSpawner.update(values["hub"]["config"]["KubeSpawner"])
kubespawner.spawner.load_config = lambda **_: None  # there is no cluster here
ana = SimpleNamespace(name="ana@department.example", escaped_name="ana", id=1, url="/user/ana/", groups=[])
hub = SimpleNamespace(public_host="", url="/hub/", api_url="http://10.0.0.9:8081/hub/api", base_url="/hub/")

async def make():
    spawner = KubeSpawner(_mock=True, user=ana, hub=hub, config=c)
    return ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest())

pod = asyncio.run(make())
kubernetes_validate.validate(pod, sys.argv[2], strict=True)

homes = {
    "JupyterHub": "jupyterhub.app", "Authenticator": "jupyterhub.auth", "KubeSpawner": "kubespawner",
    "GenericOAuthenticator": "oauthenticator.generic", "LabApp": "jupyterlab.labapp",
    "ServerApp": "jupyter_server.serverapp",
    "FileContentsManager": "jupyter_server.services.contents.filemanager",
    "MappingKernelManager": "jupyter_server.services.kernels.kernelmanager",
}
unknown = []
for section, settings in {**values["hub"]["config"], **user["extraFiles"]["server"]["data"]}.items():
    known = getattr(importlib.import_module(homes[section]), section).class_traits(config=True)
    unknown += [f"{section}.{name}" for name in settings if name not in known]
print(json.dumps({"pod": pod, "unknown": unknown}))
"""


@pytest.fixture(scope="module")
def made() -> dict:
    """A learner's pod, strictly valid, and the settings of hub and server that do not exist."""
    given = values()
    given["hub"]["config"]["JupyterHub"]["cokie_max_age_days"] = 1
    said = python(MAKE_POD, json.dumps(given), KUBERNETES, path=tools("kubernetes"), last=True)
    return json.loads(said.splitlines()[-1])


@pytest.fixture
def pod(made) -> dict:
    return made["pod"]["spec"]


def test_every_setting_of_hub_and_server_exists(made):
    """traitlets only warns about a setting that does not exist, in a log that nobody reads."""
    assert made["unknown"] == ["JupyterHub.cokie_max_age_days"]  # the misspelt one, put there for this test


def test_a_learners_pod_has_its_guarantees_and_limits(pod):
    (server,) = pod["containers"]
    assert server["resources"] == {
        "requests": {"memory": 1024**3, "cpu": 0.25, "ephemeral-storage": "200Mi"},
        "limits": {"memory": 2 * 1024**3, "cpu": 1, "ephemeral-storage": "2Gi"},
    }


def test_a_placeholder_is_as_large_as_a_learner(pod):
    place = values()["scheduling"]["userPlaceholder"]["resources"]["requests"]
    (server,) = pod["containers"]
    assert place["memory"] == "1Gi" and server["resources"]["requests"] == {**place, "memory": 1024**3}


def test_a_learners_pod_can_do_little_and_holds_no_key_of_the_cluster(pod):
    (server,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["fsGroup"] == 100
    assert server["securityContext"] == {
        "runAsUser": 1000,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_a_learner_works_on_the_disk_that_is_kept(pod):
    (server,) = pod["containers"]
    (home,) = [mount["mountPath"] for mount in server["volumeMounts"] if mount["name"] == "home"]
    assert server["workingDir"] == home  # not the image's /srv/course
    progress = {one["name"]: one.get("value") for one in server["env"]}["COURSE_PROGRESS"]
    assert Path(progress).parent == Path(home)


# ------------------------------------------------------------------------------ the learner's copy


def git(folder, *arguments):
    needs("git")
    name = ["-c", "user.name=Trainer", "-c", "user.email=trainer@department.example"]
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def start_of_a_server(image: Path, home: Path):
    """What a learner's pod runs when it starts, with the image's folder elsewhere."""
    *shell, script = values()["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"]
    assert "/srv/course" in script
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(
        [*shell, script.replace("/srv/course", str(image))],
        env={**os.environ, "HOME": str(home), "PATH": path},
        check=True,
        capture_output=True,
        timeout=120,
    )


def test_a_fix_arrives_and_a_learners_edits_stay(tmp_path):
    image, home = tmp_path / "course", tmp_path / "home"
    (image / "notebooks").mkdir(parents=True)
    home.mkdir()
    lab, other = image / "notebooks/lab.txt", image / "notebooks/other.txt"
    lab.write_text("one\n", encoding="utf-8")
    other.write_text("wrong\n", encoding="utf-8")
    git(image, "init", "--quiet", "--initial-branch=main")
    git(image, "add", ".")
    git(image, "commit", "--quiet", "-m", "labs")
    start_of_a_server(image, home)
    mine = home / "course/notebooks/lab.txt"
    assert mine.read_text(encoding="utf-8") == "one\n"

    mine.write_text("my answer\n", encoding="utf-8")
    other.write_text("right\n", encoding="utf-8")
    git(image, "commit", "--quiet", "--all", "-m", "fix")
    start_of_a_server(image, home)
    assert mine.read_text(encoding="utf-8") == "my answer\n"
    assert (home / "course/notebooks/other.txt").read_text(encoding="utf-8") == "right\n"


def test_an_image_without_git_still_gives_labs(tmp_path):
    image, home = tmp_path / "course", tmp_path / "home"
    image.mkdir()
    home.mkdir()
    (image / "lab.txt").write_text("one\n", encoding="utf-8")
    for _ in range(2):
        start_of_a_server(image, home)
    assert (home / "course/lab.txt").read_text(encoding="utf-8") == "one\n"


# ------------------------------------------------------------------------------ the image


def test_the_image_has_the_right_python_the_lock_and_the_hubs_single_user_server():
    told = re.search(r"jupyter-repo2docker (.+?)\n# +The clone", TEXT, re.DOTALL)[1]
    words = shlex.split(re.sub(r"\\\n#", " ", told))
    assert words[-1] == "." and "--push" in words
    words = [word for word in words[:-1] if word not in ("--no-run", "--push")]
    code = "import sys; from repo2docker.__main__ import main; sys.argv[0] = 'repo2docker'; sys.exit(main())"
    ran = subprocess.run(
        [sys.executable, "-c", code, "--no-build", "--debug", *words, str(ROOT)],
        env={**os.environ, "PYTHONPATH": str(tools("repo2docker"))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    dockerfile = ran.stdout + ran.stderr
    assert ran.returncode == 0, dockerfile[-3000:]
    assert "for python=3.11" in dockerfile and "environment-2epy-2d3-2e11" in dockerfile
    assert "src/environment.yml" in dockerfile and "env update" in dockerfile
    steps = ["RUN ./postBuild", "ENTRYPOINT", 'RUN pip install --no-cache-dir --no-deps "jupyterhub==5.5.0"']
    assert [dockerfile.find(step) > 0 for step in steps] == [True] * 3, dockerfile[-2000:]
    assert sorted(steps, key=dockerfile.find) == steps
    assert "COPY --chown=1000:1000 src/" in dockerfile  # a learner's own: git reads no one else's


# ------------------------------------------------------------------------------ the hub, for real

PROVIDER = Path(__file__).with_name("oidc.py")


class Hub:
    """The chart's JupyterHub with these values, behind TLS on this machine, beside a department's sign-in."""

    def __init__(self, folder: Path):
        self.folder, self.processes = folder, []
        self.ports = free_ports(5)
        public, self.sign_in, hub, api, board = self.ports
        self.url, provider = f"https://127.0.0.1:{public}", f"https://127.0.0.1:{self.sign_in}"
        self.ca = certificate(folder)
        text = fill_in(
            callback_url=f"{self.url}/hub/oauth_callback",
            authorize_url=f"{provider}/authorize",
            token_url=f"{provider}/token",
            userinfo_url=f"{provider}/userinfo",
        )
        given = self.values = yaml.safe_load(text.replace("10101", str(board)).replace(":8081/", f":{hub}/"))
        token = secrets.token_hex()
        services = [
            {
                "name": name,
                **service,
                "url": service["url"].replace("//hub:", "//127.0.0.1:"),
                "api_token": token,
            }
            for name, service in given["hub"]["services"].items()
        ]
        roles = [{"name": name, **role} for name, role in given["hub"]["loadRoles"].items()]
        (self.board,) = given["hub"]["extraContainers"]
        self.board_variables = {
            one["name"]: one["value"].replace("0.0.0.0", "127.0.0.1") if "value" in one else token
            for one in self.board["env"]
        }
        for name, file in given["singleuser"]["extraFiles"].items():
            (folder / name).mkdir()
            (folder / name / Path(file["mountPath"]).name).write_text(
                json.dumps(file["data"]), encoding="utf-8"
            )
        self.packages = os.pathsep.join([str(tools("jupyterhub-5")), str(ROOT)])
        server = ["env", f"PYTHONPATH={self.packages}", sys.executable, "-m", "jupyterhub.singleuser"]
        config = f"""
# As the chart does it: its own settings, then hub.config, then hub.extraConfig.
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
c.JupyterHub.services, c.JupyterHub.load_roles = {services!r}, {roles!r}
c.KubeSpawner.environment = {given["singleuser"]["extraEnv"]!r}
for section, settings in {given["hub"]["config"]!r}.items():
    c[section].update(settings)
{given["hub"]["extraConfig"]["course"]}
# And what differs on this machine.
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.bind_url = "{self.url}/"
c.JupyterHub.ssl_key, c.JupyterHub.ssl_cert = "{self.ca}", "{self.ca}"
c.JupyterHub.proxy_class = "traefik_file"
c.TraefikProxy.traefik_api_url = "http://127.0.0.1:{api}"
c.TraefikFileProviderProxy.dynamic_config_file = "{folder}/rules.toml"
c.TraefikProxy.static_config_file = "{folder}/traefik.toml"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home/{{username}}"
c.Spawner.cmd = {server!r}
c.Spawner.args = {["--allow-root"] if os.geteuid() == 0 else []!r}
c.Spawner.environment = c.KubeSpawner.environment
c.Spawner.environment.update(
    JUPYTER_CONFIG_PATH="{folder}/server", JUPYTER_CONFIG_DIR="{folder}/none",
    COURSE_PROGRESS="{folder}/progress.json",
)
"""
        (folder / "config.py").write_text(config, encoding="utf-8")
        self.variables = {
            **os.environ,
            "HUB_SERVICE_HOST": "127.0.0.1",
            "HUB_SERVICE_PORT": str(hub),
            "SSL_CERT_FILE": str(self.ca),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }

    def start(self, *command, **more):
        with open(self.folder / "log.txt", "ab") as log:
            where = {"cwd": self.folder, "env": {**self.variables, **more}, "stdout": log, "stderr": log}
            self.processes.append(subprocess.Popen([sys.executable, *command], **where))

    def log(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")

    def wait(self, url):
        import requests

        end = time.monotonic() + 90
        while time.monotonic() < end:
            assert all(process.poll() is None for process in self.processes), self.log()[-4000:]
            try:
                if self.browser("").get(url, timeout=5).status_code in (200, 401):
                    return
            except requests.RequestException:
                pass  # not there yet
            time.sleep(0.3)
        raise AssertionError(f"{url} did not answer.\n{self.log()[-4000:]}")

    def browser(self, who: str):
        """A visitor whom the department's sign-in knows as ``who``."""
        import requests

        visitor = requests.Session()
        visitor.verify, visitor.trust_env = str(self.ca), False
        visitor.cookies.set("who", who)
        return visitor

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def free_ports(number: int) -> list[int]:
    import socket

    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def certificate(folder: Path) -> Path:
    """A key and a certificate for this machine, in one file. It vouches for itself."""
    path = folder / "tls.pem"
    needs("openssl")
    vouched = folder / "certificate.pem"
    command = shlex.split("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1")
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", vouched]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    path.write_text(path.read_text() + vouched.read_text(), encoding="ascii")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    running = Hub(tmp_path_factory.mktemp("hub"))
    try:
        running.start(PROVIDER, str(running.sign_in), str(running.ca))
        running.wait(f"https://127.0.0.1:{running.sign_in}/authorize")
        running.start(*running.board["command"][1:], PYTHONPATH=running.packages, **running.board_variables)
        running.start("-m", "jupyterhub", "-f", "config.py", PYTHONPATH=running.packages)
        running.wait(f"{running.url}/hub/api/")
        yield running
    finally:
        running.stop()


def signed_in(hub, who):
    """A visitor after signing in, and the page that they see then."""
    visitor = hub.browser(who)
    return visitor, visitor.get(f"{hub.url}/hub/oauth_login?next=/hub/home", timeout=60)


def test_the_hub_is_the_charts(hub):
    assert hub.browser("").get(f"{hub.url}/hub/api/", timeout=30).json() == {"version": "5.5.0"}


def test_nobody_gets_in_but_those_on_the_list(hub):
    _, page = signed_in(hub, "stranger@department.example")
    assert page.status_code == 403
    assert hub.browser("").get(f"{hub.url}/hub/oauth_login", timeout=30).status_code == 401  # no sign-in
    page = hub.browser("").get(f"{hub.url}/hub/login", timeout=30)
    assert "Sign in with your department" in page.text and "password" not in page.text.lower()


def test_the_trainer_is_admin_and_a_learner_is_not(hub):
    trainer, page = signed_in(hub, "trainer@department.example")
    assert page.status_code == 200
    assert trainer.get(f"{hub.url}/hub/admin", timeout=30).status_code == 200
    learner, page = signed_in(hub, "ana@department.example")
    assert page.status_code == 200
    assert learner.get(f"{hub.url}/hub/admin", timeout=30).status_code == 403


def test_browsers_come_by_https_only_and_cookies_stay(hub):
    _, page = signed_in(hub, "ana@department.example")
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "frame-ancestors" in page.headers["Content-Security-Policy"]
    cookies = [line for step in [*page.history, page] for line in step.raw.headers.getlist("Set-Cookie")]
    kept = [line for line in cookies if "jupyterhub" in line and "who=" not in line]
    assert kept and all("secure" in line.lower() and "samesite=lax" in line.lower() for line in kept), kept


@pytest.fixture(scope="module")
def bens(hub):
    """A learner, and the page of the lab in the server that was started for them."""
    learner, _ = signed_in(hub, "ben@department.example")
    page = learner.get(f"{hub.url}/hub/spawn", timeout=60)
    end = time.monotonic() + 120
    while "/user/" not in page.url or "/hub/" in page.url:
        assert time.monotonic() < end, hub.log()[-4000:]
        time.sleep(0.5)
        page = learner.get(f"{hub.url}/user/ben@department.example/lab", timeout=60)
    assert page.status_code == 200
    return learner, page


def test_a_learners_server_has_no_terminal_news_or_updates(hub, bens):
    learner, page = bens
    here = page.url.split("/lab")[0]
    assert learner.get(f"{here}/api/status", timeout=60).json()["kernels"] == 0
    assert learner.get(f"{here}/api/terminals", timeout=60).status_code == 404
    settings = json.loads(
        re.search(r'jupyter-config-data" type="application/json">(.+?)</script>', page.text, re.S)[1]
    )
    assert settings["terminalsAvailable"] is False and settings["news"] == {"disabled": True}
    assert learner.get(f"{here}/lab/api/update", timeout=60).json()["notification"] is None
    stranger, _ = signed_in(hub, "ana@department.example")
    assert stranger.get(f"{here}/api/contents", timeout=60).status_code in (403, 404)
    assert "jupyterhub-singleuser version" not in hub.log()  # a warning that the two do not fit


def run(visitor, hub, here: str, code: str) -> str:
    """Run code in a new kernel of a server, through the hub's proxy, and return what it prints."""
    import asyncio
    import ssl

    import requests
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    token = next(one.value for one in visitor.cookies if one.name == "_xsrf" and "/user/" in one.path)
    kernel = visitor.post(f"{here}/api/kernels", json={}, headers={"X-XSRFToken": token}, timeout=60).json()
    cookies = requests.cookies.get_cookie_header(
        visitor.cookies, requests.Request("GET", f"{here}/api").prepare()
    )
    header = {"msg_id": "1", "msg_type": "execute_request", "username": "", "session": "1", "version": "5.3"}
    cell = {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "channel": "shell",
        "content": {"code": code},
    }

    async def talk() -> str:
        channel = await websocket_connect(
            HTTPRequest(
                f"{here}/api/kernels/{kernel['id']}/channels".replace("https", "wss"),
                headers={"Cookie": cookies, "Origin": hub.url},
                ssl_options=ssl.create_default_context(cafile=hub.ca),
            )
        )
        await channel.write_message(json.dumps(cell))
        said = ""
        while True:
            message = json.loads(await asyncio.wait_for(channel.read_message(), 60))
            content, kind = message["content"], message["msg_type"]
            said += content.get("text", "") if kind == "stream" else ""
            assert kind != "error", content
            if kind == "status" and content["execution_state"] == "idle" and said:
                return said

    return run_apart(talk())


def test_the_board_hears_a_learners_kernel_and_shows_the_trainer_alone(hub, bens):
    learner, page = bens
    here = page.url.split("/lab")[0]
    assert (
        run(learner, hub, here, "from course.check import _board; print(_board.send('help', {}))") == "204\n"
    )
    trainer, _ = signed_in(hub, "trainer@department.example")
    room = trainer.get(f"{hub.url}/services/board/trainer", timeout=60)
    assert room.status_code == 200 and "ben@department.example" in room.text  # who asked for help
    assert learner.get(f"{hub.url}/services/board/", timeout=60).status_code == 200
    assert learner.get(f"{hub.url}/services/board/trainer", timeout=60).status_code == 403


@pytest.mark.parametrize(
    ("place", "left", "said"),
    [
        ("client_id", "", "hub.config.GenericOAuthenticator.client_id: it must be a value."),
        ("client_secret", " ", "hub.config.GenericOAuthenticator.client_secret: it must be a value."),
        (
            "token_url",
            "http://x",
            "GenericOAuthenticator.token_url: it must be an address that begins with https://",
        ),
        ("learners", [], "hub.config.Authenticator.allowed_users: a list of e-mail addresses."),
        ("trainers", [None], "hub.config.Authenticator.admin_users: a list of e-mail addresses."),
        ("learners", "ana@department.example", "allowed_users: a list of e-mail addresses."),
    ],
)
def test_a_place_left_empty_stops_the_hub(place, left, said):
    from traitlets.config import Config

    given, c = values(**{place: left})["hub"], Config()
    for section, settings in given["config"].items():
        c[section].update(settings)
    c.KubeSpawner.environment = {}
    with pytest.raises(ValueError, match=re.escape(said)):
        exec(given["extraConfig"]["course"], {"c": c})  # noqa: S102 — as the chart does


# ------------------------------------------------------------------------------ the chart, if it is here

RENDER = """
import json, sys
import helm_python, kubernetes_validate, yaml

chart = helm_python.Chart.load(sys.argv[1])
objects = [
    one for text in chart.render(values=json.loads(sys.argv[2]), name="course", namespace="course").values()
    for one in yaml.safe_load_all(text) if one
]
for one in objects:
    kubernetes_validate.validate(one, sys.argv[3], strict=True)
print(json.dumps(objects))
"""


@pytest.fixture
def chart():
    path = os.environ.get("COURSE_CHART")
    if not path:
        pytest.skip("the chart is in no package registry: fetch it with helm, and name it in COURSE_CHART")
    return Path(path).resolve()


def test_the_chart_renders_and_every_object_is_valid(chart):
    rendered = json.loads(
        python(RENDER, chart, json.dumps(values()), KUBERNETES, path=tools("helm")).splitlines()[-1]
    )
    policies = {one["metadata"]["name"]: one["spec"] for one in rendered if one["kind"] == "NetworkPolicy"}
    ways_out = [target for rule in policies["singleuser"]["egress"] for target in rule["to"]]
    assert policies["singleuser"]["policyTypes"] == ["Ingress", "Egress"]
    assert {way["podSelector"]["matchLabels"]["component"] for way in ways_out} <= {
        "hub",
        "proxy",
        "autohttps",
    }
    assert all(list(way) == ["podSelector"] for way in ways_out)  # no addresses, no other namespaces
    assert 53 not in [port["port"] for rule in policies["singleuser"]["egress"] for port in rule["ports"]]
    found = {(one["kind"], one["metadata"]["name"]): one for one in rendered}
    (waiting,) = [one for kind, one in found.items() if kind[0] == "StatefulSet"]
    resources = waiting["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert resources["requests"]["memory"] == "1Gi" and waiting["spec"]["replicas"] == 5
    ports = {
        name: [port["port"] for port in one["spec"]["ports"]]
        for (kind, name), one in found.items()
        if kind == "Service"
    }
    assert ports["proxy-public"] == [443] and ports["hub"] == [
        8081,
        10101,
    ]  # the first is what the hub is told
    assert "hub.services.board.apiToken" in found["Secret", "hub"]["data"]
    beside = found["Deployment", "hub"]["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in beside] == ["hub", "board"]
    mounted = found["Deployment", "proxy"]["spec"]["template"]["spec"]["volumes"]
    assert "course-tls" in [one.get("secret", {}).get("secretName") for one in mounted]


def test_the_chart_refuses_a_misspelt_key(chart):
    wrong = values()
    wrong["singleuser"]["memory"]["limits"] = "2G"
    with pytest.raises(AssertionError, match="limits"):
        python(RENDER, chart, json.dumps(wrong), KUBERNETES, path=tools("helm"))
