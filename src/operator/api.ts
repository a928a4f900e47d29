import { containsIp, parseCidr } from "../core/address/cidr.ts";
import { isIpv4Mapped, parseIp, type Ip } from "../core/address/ip.ts";
import { plain, type Answer, type Question, type Routes } from "../http/server.ts";
import type { Views } from "./views.ts";

const LOOPBACK = ["127.0.0.0/8", "::1/128"].map(parseCidr).filter((cidr) => cidr !== undefined);

function unmapped(ip: Ip): Ip {
  return isIpv4Mapped(ip) ? { family: 4, bits: ip.bits & 0xffff_ffffn } : ip;
}

/** Whether `peer`, an address as the kernel tells it, is of this machine alone: 127.0.0.0/8, ::1, or mapped to IPv6. */
export function isLoopbackPeer(peer: string): boolean {
  const ip = parseIp(peer);
  return ip !== undefined && LOOPBACK.some((cidr) => containsIp(cidr, unmapped(ip)));
}

function json(value: unknown): Answer {
  return { status: 200, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}

/** `route` for connections from loopback, as those of a port-forward are; 403 for any other. */
function localOnly(route: (question: Question) => Answer): (question: Question) => Answer {
  return (question) =>
    isLoopbackPeer(question.peer)
      ? route(question)
      : plain(
          403,
          `forbidden to ${question.peer}: /api/v1 answers loopback connections only; use kubectl port-forward\n`,
        );
}

/** What `wayleave status` and `wayleave sets` read of a running operator. */
export function apiRoutes(views: Views): Routes {
  return {
    "/api/v1/status": localOnly(() => json(views.status())),
    /** With `?name=`, only the set that it names. */
    "/api/v1/sets": localOnly(({ query }) => json(views.sets(query.get("name") ?? undefined))),
  };
}
