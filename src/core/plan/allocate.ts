/**
 * Which of a set's nets stand in which of its objects. `held` is what each object (by shard number, from 1) holds now.
 *
 * - A net that an object holds stays in it, the lowest one where several do.
 * - A new net goes to the first shard with room, so a set written from nothing has the fewest shards.
 * - Only what exceeds `max` in its object moves.
 *
 * @returns every shard that is to hold something or holds something now, its nets sorted; at most `max` each.
 */
export function allocate(
  nets: readonly string[],
  held: ReadonlyMap<number, readonly string[]>,
  max: number,
): ReadonlyMap<number, readonly string[]> {
  const wanted = new Set(nets);
  const shards = new Map<number, string[]>();
  for (const [shard, holds] of [...held].toSorted(([a], [b]) => a - b)) {
    const kept = [...new Set(holds)].filter((net) => wanted.has(net)).slice(0, max);
    for (const net of kept) wanted.delete(net);
    shards.set(shard, kept);
  }
  let shard = 1;
  for (const net of wanted) {
    while ((shards.get(shard)?.length ?? 0) >= max) shard++;
    const inShard = shards.get(shard);
    if (inShard === undefined) shards.set(shard, [net]);
    else inShard.push(net);
  }
  for (const [number, holds] of shards) shards.set(number, holds.toSorted());
  return shards;
}
