import { makeFence, OPEN_FENCE, type Fence } from "../core/address/fence.ts";
import { formatCidr } from "../core/address/cidr.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { OperatorConfig } from "./options.ts";

/** The fence of remote cluster `name` under `config`, and whether any range is declared for it. */
export function fenceOf(
  name: ClusterName,
  { remotePodCidr, localCidr }: Pick<OperatorConfig, "remotePodCidr" | "localCidr">,
): { readonly fence: Fence; readonly isDeclared: boolean } {
  const declared = remotePodCidr
    .filter(({ cluster }) => cluster === undefined || cluster === name)
    .map(({ cidr }) => cidr);
  if (declared.length === 0 && localCidr.length === 0) {
    return { fence: OPEN_FENCE, isDeclared: false };
  }
  const local = localCidr.map((cidr) => ({
    cidr,
    what: `lies in the local range ${formatCidr(cidr)}`,
  }));
  return { fence: makeFence(declared, local), isDeclared: declared.length > 0 };
}
