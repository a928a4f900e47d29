import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** What one request gets; it may leave the answer open, or destroy the socket. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A small HTTP server on loopback that does what a test says, and counts. Close it when done. */
export class NastyServer {
  /** `METHOD url` of each request so far. */
  readonly requests: string[] = [];
  /** Headers of each request so far. */
  readonly headers: IncomingMessage["headers"][] = [];
  /** Connections accepted so far. */
  connections = 0;
  answer: Answer = (_request, response) => void response.writeHead(500).end();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #scheme: string;

  constructor(tls?: ServerOptions) {
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      this.requests.push(`${request.method} ${request.url}`);
      this.headers.push(request.headers);
      this.answer(request, response);
    };
    this.#scheme = tls === undefined ? "http" : "https";
    this.#server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
    this.#server.on("connection", (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Starts listening, on `port` or any; resolves with the URL. */
  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections as a crash would. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** An Answer in JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

/** An Answer that an API server gives when it refuses (a metav1 Status). */
export function refusal(code: number, reason: string, message: string, more: object = {}): Answer {
  return json(
    { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, ...more },
    code,
  );
}
