import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A network between a client and a server on loopback that can be cut, and can go silent. Close it when done. */
export class TcpProxy {
  /** Connections accepted so far. */
  connections = 0;
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: "open" | "cut" | "silent" = "open";

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  /** Starts listening; resolves with the port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets all connections, and every new one. */
  cut(): void {
    this.#state = "cut";
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Connections stay open, and nothing passes any more; new ones are accepted and say nothing. */
  silence(): void {
    this.#state = "silent";
  }

  /** From now on everything passes again; what was said into the silence is lost, with its connections. */
  restore(): void {
    if (this.#state === "silent") this.cut();
    this.#state = "open";
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket): void {
    this.connections++;
    this.#track(client);
    if (this.#state === "cut") {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#targetPort, "127.0.0.1");
    this.#track(server);
    const pass = (from: Socket, to: Socket): void => {
      from.on("data", (bytes) => {
        if (this.#state === "open") to.write(bytes);
      });
      from.on("close", () => {
        if (this.#state !== "silent") to.destroy();
      });
    };
    pass(client, server);
    pass(server, client);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
