import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a route answers. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What a route is asked. */
export interface Question {
  readonly query: URLSearchParams;
  /** The peer's address as the kernel tells it. */
  readonly peer: string;
}

/** GET routes by path. */
export type Routes = Readonly<Record<string, (question: Question) => Answer | Promise<Answer>>>;

/** A server that listens. */
export interface Server {
  readonly port: number;
  close(): Promise<void>;
}

/** A plain text answer. */
export function plain(status: number, body: string): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body };
}

async function answer(routes: Routes, request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
  if (route === undefined) {
    return plain(404, `not found; try ${Object.keys(routes).join(", ")}\n`);
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, "only GET is served here\n");
  }
  return route({ query: url.searchParams, peer: request.socket.remoteAddress ?? "" });
}

function send(response: ServerResponse, { status, contentType, body }: Answer): void {
  response.writeHead(status, { "content-type": contentType, "x-content-type-options": "nosniff" });
  response.end(body);
}

/**
 * Serves `routes` on `port` of `host` ("" for every address, port 0 for any free one).
 * Rejects when it cannot listen. A route that throws answers 500 and tells `onError`.
 */
export async function serve(
  bind: { readonly host: string; readonly port: number },
  routes: Routes,
  onError: (error: unknown) => void,
): Promise<Server> {
  const server = createServer((request, response) => {
    answer(routes, request).then(
      (result) => send(response, result),
      (error: unknown) => {
        onError(error);
        send(response, plain(500, "internal error; the log says more\n"));
      },
    );
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(bind.port, bind.host === "" ? undefined : bind.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
