import type { ServerResponse } from "node:http";

/** A response in the making. Faults stand between it and the wire. */
export interface Reply {
  /** Sends status and headers. Called once. */
  begin(status: number, headers: Readonly<Record<string, string>>): void;
  /** Sends bytes; false when the client takes no more until `whenReady` calls back. */
  write(chunk: Buffer | string): boolean;
  whenReady(resume: () => void): void;
  end(): void;
  /** Breaks the connection. */
  destroy(): void;
  /** Calls back once when the client is gone or the response has ended. */
  whenClosed(callback: () => void): void;
}

/** A Reply that goes straight to the client. */
export class DirectReply implements Reply {
  private readonly response: ServerResponse;

  constructor(response: ServerResponse) {
    this.response = response;
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.response.writeHead(status, headers);
    this.response.flushHeaders();
  }

  write(chunk: Buffer | string): boolean {
    return this.response.write(chunk);
  }

  whenReady(resume: () => void): void {
    this.response.once("drain", resume);
  }

  end(): void {
    this.response.end();
  }

  destroy(): void {
    this.response.socket?.destroy();
    this.response.destroy();
  }

  whenClosed(callback: () => void): void {
    this.response.once("close", callback);
  }
}
