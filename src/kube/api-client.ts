import {
  request as httpRequest,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { Fault, errorText, faultCode } from "../core/model/fault.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ClusterAccess, Connection } from "./access.ts";
import { isProtobuf } from "./protobuf/media-type.ts";
import { statusFromProtobuf } from "./protobuf/status.ts";
import { connectionFault, statusFault } from "./status.ts";

/** One call of the API. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Absolute within the server, e.g. `/api/v1/pods`; escaped by the caller where it must be. */
  readonly path: string;
  /** Parameters; those that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** @default "application/json" */
  readonly contentType?: string;
  /** For the whole exchange, connecting included. @default the client's */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A 2xx answer. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined when the answer was empty. */
  readonly body: unknown;
}

/** A GET whose answer is taken piece by piece. It has no time limit but `signal`. */
export interface StreamRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Media types that are understood. @default "application/json" */
  readonly accept?: string;
  /** The server accepted: a 2xx head arrived. `contentType` is the answer's, "" when it names none. What it throws ends the stream and rejects it. */
  readonly onOpen?: (contentType: string) => void;
  /** What it throws ends the stream and rejects it. */
  readonly onPiece: (piece: Buffer) => void;
}

/** How one request was answered, for metrics. The time is that until the answer began. */
export interface RequestOutcome {
  readonly method: ApiRequest["method"];
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  readonly durationMs: number;
}

/** Choices of an ApiClient. */
export interface ApiClientOptions {
  readonly clock: Clock;
  /** For TCP and TLS together. @default 5000 */
  readonly connectTimeoutMs?: number;
  /** For a whole request. @default 30000 */
  readonly timeoutMs?: number;
  /** A larger answer is a fault. @default 64 MiB */
  readonly maxBodyBytes?: number;
  /** @default "wayleave" */
  readonly userAgent?: string;
  /** Told of every request; must not throw. */
  readonly onRequest?: (outcome: RequestOutcome) => void;
  /**
   * Asked before anything but a GET is sent, once there is a connection and as late as can be; when it says no, the request rejects with a Fault
   * `aborted`. The fence of a leader (LeaderElection.mayWrite). @default always
   */
  readonly mayWrite?: () => boolean;
}

/** A request as it is sent. */
interface Asked extends ApiRequest {
  readonly accept?: string;
}

const MAX_REFUSAL_BYTES = 1024 * 1024;
/** Dead peers are noticed ten seconds after this much silence (libuv probes each second, ten times). */
const TCP_KEEPALIVE_MS = 5_000;

/**
 * Requests to one API server over the connections of a ClusterAccess. Every failure is a Fault that says what was asked
 * of whom; redirects are failures. A 401 is asked again once when fresh credentials differ, and a GET whose reused
 * connection turns out to be closed is sent again once; nothing else is retried.
 */
export class ApiClient {
  readonly #access: ClusterAccess;
  readonly #clock: Clock;
  readonly #connectTimeoutMs: number;
  readonly #timeoutMs: number;
  readonly #maxBodyBytes: number;
  readonly #userAgent: string;
  readonly #onRequest: (outcome: RequestOutcome) => void;
  readonly #mayWrite: () => boolean;

  constructor(access: ClusterAccess, options: ApiClientOptions) {
    this.#access = access;
    this.#clock = options.clock;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 5_000;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#maxBodyBytes = options.maxBodyBytes ?? 64 * 1024 * 1024;
    this.#userAgent = options.userAgent ?? "wayleave";
    this.#onRequest = options.onRequest ?? (() => {});
    this.#mayWrite = options.mayWrite ?? (() => true);
  }

  /** Sends `request` and reads the whole answer. Rejects with a Fault unless the status is 2xx and the body JSON or empty. */
  async request(request: ApiRequest): Promise<ApiResponse> {
    const timeoutMs = request.timeoutMs ?? this.#timeoutMs;
    const exchange = new Exchange(what(request), this.#access.server.host, request.signal);
    const cancel = this.#clock.after(timeoutMs, () =>
      exchange.kill(new Fault("timeout", `${exchange.what}: no answer within ${timeoutMs} ms`)),
    );
    try {
      const response = await this.#send(exchange, request);
      const bytes = await exchange.read(response, this.#maxBodyBytes);
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: bytes.length === 0 ? undefined : parseJson(exchange.what, response, bytes),
      };
    } finally {
      cancel();
      exchange.close();
    }
  }

  /** Sends a GET and hands on its answer as it comes. Resolves when the server ended it properly. */
  async stream(request: StreamRequest): Promise<void> {
    const { path, query, accept } = request;
    const asked: Asked = {
      method: "GET",
      path,
      query,
      ...(accept === undefined ? {} : { accept }),
    };
    const exchange = new Exchange(what(asked), this.#access.server.host, request.signal);
    try {
      const response = await this.#send(exchange, asked);
      request.onOpen?.(response.headers["content-type"] ?? "");
      await exchange.each(response, request.onPiece);
    } finally {
      exchange.close();
    }
  }

  async #send(exchange: Exchange, request: Asked): Promise<IncomingMessage> {
    let connection = await exchange.unlessKilled(this.#access.connection());
    let response = await this.#attempt(exchange, request, connection);
    if (response.statusCode === 401) {
      const fresh = await this.#freshConnection(exchange, connection);
      if (fresh !== undefined) {
        response.resume();
        connection = fresh;
        response = await this.#attempt(exchange, request, connection);
      }
    }
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    if (status >= 300 && status < 400) {
      const to = response.headers.location ?? "nowhere";
      throw new Fault("malformed", `${exchange.what}: redirected to ${to}, which is not followed`, {
        status,
      });
    }
    const bytes = await exchange.read(response, MAX_REFUSAL_BYTES);
    const retryAfter = response.headers["retry-after"];
    const body = refusalBody(exchange.what, response.headers["content-type"], bytes);
    throw statusFault(exchange.what, status, body, retryAfter, this.#clock.now());
  }

  /** After a 401: a connection with other credentials than `used`, if there is one. */
  async #freshConnection(exchange: Exchange, used: Connection): Promise<Connection | undefined> {
    const isOther = (each: Connection): boolean =>
      each.agent !== used.agent || each.headers["authorization"] !== used.headers["authorization"];
    // Another request may have renewed them meanwhile; those must not be thrown away.
    const current = await exchange.unlessKilled(this.#access.connection());
    if (isOther(current)) return current;
    this.#access.distrust("unauthorized");
    const renewed = await exchange.unlessKilled(this.#access.connection());
    return isOther(renewed) ? renewed : undefined;
  }

  async #attempt(
    exchange: Exchange,
    request: Asked,
    connection: Connection,
  ): Promise<IncomingMessage> {
    const first = this.#open(request, connection);
    try {
      return await this.#head(exchange, request.method, first);
    } catch (error) {
      const isStale = first.reusedSocket && faultCode(error) === "connection";
      if (!isStale || request.method !== "GET") throw error;
      return this.#head(exchange, request.method, this.#open(request, connection));
    }
  }

  async #head(
    exchange: Exchange,
    method: ApiRequest["method"],
    sent: ClientRequest,
  ): Promise<IncomingMessage> {
    const begun = this.#clock.monotonic();
    let status: number | undefined;
    try {
      const response = await exchange.head(sent, this.#clock, this.#connectTimeoutMs);
      status = response.statusCode;
      return response;
    } catch (error) {
      if (faultCode(error) === "certificate") this.#access.distrust("certificate");
      throw error;
    } finally {
      this.#onRequest({ method, status, durationMs: this.#clock.monotonic() - begun });
    }
  }

  #open(request: Asked, connection: Connection): ClientRequest {
    const { server } = this.#access;
    const url = new URL(server);
    url.pathname = `${server.pathname.replace(/\/+$/, "")}${request.path}`;
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const headers: Record<string, string | string[] | number> = {
      accept: request.accept ?? "application/json",
      "user-agent": this.#userAgent,
    };
    for (const [name, value] of Object.entries(connection.headers)) {
      headers[name] = typeof value === "string" ? value : [...value];
    }
    if (body !== undefined) {
      headers["content-type"] = request.contentType ?? "application/json";
      headers["content-length"] = body.length;
    }
    const send = server.protocol === "https:" ? httpsRequest : httpRequest;
    const opened = send(url, { method: request.method, agent: connection.agent, headers });
    if (request.method === "GET") return opened.end(body);
    onConnected(opened, () => {
      if (this.#mayWrite()) opened.end(body);
      else opened.destroy(new Fault("aborted", `${what(request)}: not sent, we do not lead`));
    });
    return opened;
  }
}

/** One request and its answer, which can be killed from outside at any moment with the Fault that says why. */
class Exchange {
  readonly what: string;
  readonly #server: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #killedBy: Fault | undefined;
  #request: ClientRequest | undefined;
  #onKill: ((fault: Fault) => void) | undefined;
  #isDone = false;

  constructor(whatText: string, server: string, signal: AbortSignal | undefined) {
    this.what = whatText;
    this.#server = server;
    this.#signal = signal;
    this.#onAbort = () => this.kill(new Fault("aborted", `${whatText}: given up`));
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  kill(fault: Fault): void {
    this.#killedBy ??= fault;
    this.#request?.destroy();
    this.#onKill?.(this.#killedBy);
  }

  /** `work`'s outcome, or the Fault of a kill that comes first. */
  async unlessKilled<T>(work: Promise<T>): Promise<T> {
    const killed = new Promise<never>((_resolve, reject) => {
      if (this.#killedBy !== undefined) reject(this.#killedBy);
      this.#onKill = reject;
    });
    try {
      return await Promise.race([work, killed]);
    } finally {
      this.#onKill = undefined;
    }
  }

  /** The head of the answer to `request`. */
  async head(
    request: ClientRequest,
    clock: Clock,
    connectTimeoutMs: number,
  ): Promise<IncomingMessage> {
    this.#request = request;
    let cancelConnect = (): void => {};
    request.once("socket", (socket) => {
      if (request.reusedSocket) return;
      socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
      cancelConnect = clock.after(connectTimeoutMs, () => {
        const text = `${this.what}: server ${this.#server} does not accept a connection within ${connectTimeoutMs} ms`;
        this.kill(new Fault("timeout", text));
      });
      socket.once("encrypted" in socket ? "secureConnect" : "connect", cancelConnect);
    });
    try {
      return await new Promise<IncomingMessage>((resolve, reject) => {
        request.once("response", resolve);
        // Stays on for the life of the request: an error after the answer began shows in its body.
        request.on("error", reject);
        if (this.#killedBy !== undefined) request.destroy();
      });
    } catch (error) {
      throw this.#fault(error);
    } finally {
      cancelConnect();
    }
  }

  /** Hands on the body as it comes; throws a Fault when it does not come whole. */
  async each(response: IncomingMessage, onPiece: (piece: Buffer) => void): Promise<void> {
    const body = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (;;) {
      let next: IteratorResult<Buffer>;
      try {
        next = await body.next();
      } catch (error) {
        throw this.#fault(error);
      }
      if (next.done === true) break;
      onPiece(next.value);
    }
    this.#isDone = true;
  }

  /** The whole body, at most `maxBytes`. */
  async read(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let length = 0;
    await this.each(response, (piece) => {
      length += piece.length;
      if (length > maxBytes) {
        throw new Fault("malformed", `${this.what}: the answer is larger than ${maxBytes} bytes`);
      }
      pieces.push(piece);
    });
    return Buffer.concat(pieces, length);
  }

  /** Lets go of everything; a body that was not read to its end takes its connection with it. */
  close(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    if (!this.#isDone) this.#request?.destroy();
  }

  #fault(error: unknown): Fault {
    if (faultCode(error) !== undefined) return error as Fault;
    return this.#killedBy ?? connectionFault(this.what, this.#server, error);
  }
}

/** Calls `action` when what `request` is told goes out at once. */
function onConnected(request: ClientRequest, action: () => void): void {
  request.once("socket", (socket) => {
    const isReady = request.reusedSocket || !socket.connecting;
    if (isReady) action();
    else socket.once("encrypted" in socket ? "secureConnect" : "connect", action);
  });
}

function what(request: Pick<ApiRequest, "method" | "path">): string {
  return `${request.method} ${request.path}`;
}

/** The Status of a refusal; undefined when it has none. */
function refusalBody(asked: string, contentType: string | undefined, bytes: Buffer): unknown {
  try {
    if (isProtobuf(contentType ?? "")) return statusFromProtobuf(asked, bytes);
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function parseJson(asked: string, response: IncomingMessage, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    const type = response.headers["content-type"] ?? "unknown type";
    throw new Fault(
      "malformed",
      `${asked}: the answer (${type}) is not JSON: ${errorText(error)}`,
      {
        cause: error,
      },
    );
  }
}
