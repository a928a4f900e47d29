import type { User } from "../api/request.ts";
import { ApiError, forbidden, unauthorized, type ResourceName } from "../api/errors.ts";

/** Bearer tokens and who they belong to. */
export type Tokens = Readonly<Record<string, User>>;

/** Everybody, when a server asks for no token. */
export const ADMIN: User = { name: "admin", groups: ["system:masters"] };

const ANONYMOUS: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** Who sends `authorization`. Throws 401 for a token that nobody has. */
export function authenticate(authorization: string | undefined, tokens: Tokens | undefined): User {
  if (tokens === undefined) return ADMIN;
  if (authorization === undefined) return ANONYMOUS;
  const token = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
  const user = token === undefined ? undefined : tokens[token];
  if (user === undefined) throw unauthorized();
  return user;
}

/** Throws 403 for somebody who showed no token, as RBAC does. Everybody else may do everything. */
export function authorize(
  user: User,
  verb: string,
  resource: ResourceName,
  namespace: string,
  name: string,
): void {
  if (user !== ANONYMOUS) return;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  throw forbidden(
    resource,
    name,
    `User "${user.name}" cannot ${verb} resource "${resource.resource}" in API group "${resource.group}" ${where}`,
  );
}

/** Throws 403 for somebody who showed no token and asks for a path that is no resource. */
export function authorizePath(user: User, path: string): void {
  if (user !== ANONYMOUS || /^\/(healthz|livez|readyz|version)$/.test(path)) return;
  throw new ApiError(
    403,
    "Forbidden",
    `forbidden: User "${user.name}" cannot get path "${path}"`,
    {},
  );
}
