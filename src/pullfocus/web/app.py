"""create_app: the ASGI application, guard and limits outside, routes inside.

Guard -> LastResort -> BodyLimit -> routes -> queue -> worker (a process of its own)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from pullfocus import __version__
from pullfocus.web import failures
from pullfocus.web.app_state import Context
from pullfocus.web.config import ServerConfig
from pullfocus.web.middleware.auth import Guard
from pullfocus.web.middleware.upload_limit import BodyLimit
from pullfocus.web.routes import films, info, jobs, page, photos, scripts, work


def create_app(
    config: ServerConfig | None = None,
    *,
    warm: bool = False,
    entered: Callable[[], None] | None = None,
) -> FastAPI:
    """Make the application; its temporary folder lives as long as it runs.

    warm: refocus a tiny picture at the start, so that the first photo need not wait for libraries.
    entered: called when a browser shows the token.

    Convention: every failure is `{"error": {"kind", "message"}}` with a fitting status.
    """
    chosen = config or ServerConfig()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.context = Context.start(chosen)
        if warm:
            app.state.context.warm_up()
        try:
            yield
        finally:
            app.state.context.close()

    app = FastAPI(
        title="pullfocus",
        version=__version__,
        description="Move the focus of a photo after it was taken; on your own computer.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
    )
    failures.install(app)
    for routes in (info, photos, films, work, jobs, scripts, page):
        app.include_router(routes.router)
    app.mount("/static", page.PlainFiles(directory=page.STATIC), name="static")
    app.mount("/shaders", page.PlainFiles(directory=page.SHADERS), name="shaders")
    app.add_middleware(BodyLimit, config=chosen)
    app.add_middleware(failures.LastResort)
    app.add_middleware(Guard, config=chosen, entered=entered)
    return app
