import { Agent, request as httpsRequest, type AgentOptions } from "node:https";

/** An answer of an API server that is not a success. */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** `reason` of the Kubernetes Status object, e.g. `AlreadyExists`; empty if there was none. */
  readonly reason: string;

  constructor(what: string, status: number, body: string) {
    const { message, reason } = statusOf(body);
    super(`${what}: ${status} ${message ?? body.slice(0, 500)}`);
    this.name = "ApiError";
    this.status = status;
    this.reason = reason ?? "";
  }
}

/** Verbs of `ApiClient.request`. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** How to be known to an API server: a client certificate in `tls`, or a token, or neither. */
export interface Credentials {
  /** `ca`, and `cert` and `key` for a client certificate. */
  readonly tls: Pick<AgentOptions, "ca" | "cert" | "key">;
  readonly token?: string;
}

/** One event of a watch. */
export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly isJson: boolean;
}

const timeoutMs = 30_000;

/** Requests with JSON to one API server, over kept-alive connections. */
export class ApiClient {
  readonly #url: string;
  readonly #credentials: Credentials;
  readonly #agent: Agent;

  constructor(url: string, credentials: Credentials) {
    this.#url = url;
    this.#credentials = credentials;
    this.#agent = new Agent({ ...credentials.tls, keepAlive: true, maxSockets: 64 });
  }

  /**
   * One request; answers the parsed body, or the text where it is not JSON.
   * `contentType` defaults to a JSON merge patch for PATCH, else plain JSON.
   * @throws ApiError for any status but 2xx, and Node's error where no answer came within 30 s.
   */
  async request<T = unknown>(
    method: Method,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<T> {
    const answer = await this.#succeed(method, path, body, contentType);
    return (answer.isJson ? JSON.parse(answer.body) : answer.body) as T;
  }

  /** The objects of a watch that ends by itself (`timeoutSeconds` in `path`). Fails as `request`. */
  async watch<T>(path: string): Promise<WatchEvent<T>[]> {
    const { body } = await this.#succeed("GET", path);
    const lines = body.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as WatchEvent<T>);
  }

  /** Closes the connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #succeed(
    method: Method,
    path: string,
    body?: unknown,
    contentType: string = method === "PATCH" ? "application/merge-patch+json" : "application/json",
  ): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const answer = await this.#send(method, path, payload, contentType);
    if (answer.status >= 200 && answer.status <= 299) return answer;
    throw new ApiError(`${method} ${path}`, answer.status, answer.body);
  }

  #send(
    method: Method,
    path: string,
    payload: string | undefined,
    contentType: string,
  ): Promise<Answer> {
    const { token } = this.#credentials;
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        new URL(path, this.#url),
        {
          method,
          agent: this.#agent,
          timeout: timeoutMs,
          headers: {
            accept: "application/json",
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(payload === undefined
              ? {}
              : {
                  "content-type": contentType,
                  "content-length": Buffer.byteLength(payload),
                }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              body: Buffer.concat(chunks).toString(),
              isJson: (response.headers["content-type"] ?? "").startsWith("application/json"),
            }),
          );
        },
      );
      request.on("timeout", () =>
        request.destroy(new Error(`${method} ${path}: no answer within ${timeoutMs} ms`)),
      );
      request.on("error", (error: NodeJS.ErrnoException) => {
        // The server closed a kept connection just as we used it again: the request never began.
        if (request.reusedSocket && error.code === "ECONNRESET") {
          resolve(this.#send(method, path, payload, contentType));
        } else reject(error);
      });
      request.end(payload);
    });
  }
}

function statusOf(body: string): { message?: string; reason?: string } {
  try {
    return JSON.parse(body) as { message?: string; reason?: string };
  } catch {
    return {};
  }
}
