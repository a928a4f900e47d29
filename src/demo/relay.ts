import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** The network between the operator and the remote API server: a TCP relay on loopback that can be cut. */
export class Relay {
  readonly #target: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  /** Relays to the host and port of `target`. */
  constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  /** Whether nothing passes at present. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Starts listening; resolves with the port on 127.0.0.1. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection, and each new one until `heal`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** New connections pass again. */
  heal(): void {
    this.#isCut = false;
  }

  /** Ends all connections and the relay. */
  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket): void {
    this.#track(client);
    if (this.#isCut) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(Number(this.#target.port), this.#target.hostname);
    this.#track(server);
    client.pipe(server).pipe(client);
    client.once("close", () => server.destroy());
    server.once("close", () => client.destroy());
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    // What goes wrong with a connection shows at its other end.
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
