import { createServer } from "node:net";

// Below the range from which kernels number outgoing connections (Linux: 32768): a port there could be
// taken by a client, or connect to itself, while its server is down.
const lowest = 20_000;
const highest = 32_000;

/** A port of 127.0.0.1 on which nobody listens at the moment. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
  throw new Error(`find a free port between ${lowest} and ${highest}: none in 100 attempts`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
