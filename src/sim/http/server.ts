import { createServer as createHttp, type RequestListener, type Server } from "node:http";
import { createServer as createHttps, type Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { answer, type Service } from "./answer.ts";
import type { Certificate } from "./certificate.ts";

/** Long enough that clients, not the server, close idle connections. */
const KEEP_ALIVE_MS = 120_000;

/** A running server. */
export interface ApiServer {
  readonly port: number;
  /** Breaks every connection; new ones are taken. */
  disconnect(): void;
  /** Shows another certificate to new connections, and breaks those that saw the old one. Only with TLS. */
  setCertificate(certificate: Certificate): void;
  /** Ends every connection and the server; resolves when it is gone. */
  close(): Promise<void>;
}

/** Serves on 127.0.0.1; port 0 takes a free one. Rejects when the port is taken. */
export async function serve(
  service: Omit<Service, "address">,
  options: { readonly port: number; readonly certificate: Certificate | undefined },
): Promise<ApiServer> {
  const sockets = new Set<Socket>();
  const listener: RequestListener = (request, response) =>
    void answer({ ...service, address }, request, response);
  const { certificate } = options;
  const tls: TlsServer | undefined =
    certificate === undefined
      ? undefined
      : createHttps({ ...files(certificate), keepAliveTimeout: KEEP_ALIVE_MS }, listener);
  const server: Server = tls ?? createHttp({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);
  // Watches last for as long as they are asked to.
  server.requestTimeout = 0;
  const port = (): number => (server.address() as AddressInfo).port;
  const address = (): string => `127.0.0.1:${port()}`;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
  const disconnect = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: port(),
    disconnect,
    setCertificate: (next) => {
      if (tls === undefined) throw new Error("set certificate: the server has no TLS");
      tls.setSecureContext(files(next));
      disconnect();
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      disconnect();
      await closed;
    },
  };
}

function files(certificate: Certificate): { readonly cert: string; readonly key: string } {
  return { cert: certificate.cert, key: certificate.key };
}
