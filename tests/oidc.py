"""A department's sign-in (OpenID Connect) for tests: whoever the cookie `who` names is signed in.

python sign_in.py PORT FILE    FILE holds a key and a certificate
"""

import asyncio
import secrets
import ssl
import sys

from tornado.web import Application, RequestHandler

given = {}  # a code, and then a token -> who


class Authorize(RequestHandler):
    def get(self):
        who = self.get_cookie("who")
        if not who:
            self.set_status(401)
            return
        code = secrets.token_hex()
        given[code] = who
        back = f"{self.get_argument('redirect_uri')}?code={code}&state={self.get_argument('state')}"
        self.redirect(back)


class Token(RequestHandler):
    def post(self):
        token = secrets.token_hex()
        given[token] = given.pop(self.get_argument("code"))
        self.write({"access_token": token, "token_type": "Bearer"})


class UserInfo(RequestHandler):
    def get(self):
        self.write({"sub": "1", "email": given[self.request.headers["Authorization"].split()[-1]]})


async def main(port, file):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    pages = [("/authorize", Authorize), ("/token", Token), ("/userinfo", UserInfo)]
    Application(pages).listen(int(port), "127.0.0.1", ssl_options=context)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
