/** What points at what. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>

/** Gives one circle for each knot of a graph, each as the path that leads back to its start. */
export function findCircles(graph: Graph): readonly (readonly string[])[] {
  const knotted = new Set<string>()
  const circles: string[][] = []
  for (const start of graph.keys()) {
    if (knotted.has(start)) continue
    const circle = shortestWayBack(graph, start)
    if (circle === undefined) continue
    circles.push(circle)
    for (const node of reachable(graph, start)) {
      if (reachable(graph, node).has(start)) knotted.add(node)
    }
  }
  return circles
}

function shortestWayBack(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) {
        const path = [start]
        for (let at: string | undefined = node; at !== undefined && at !== start; at = cameFrom.get(at)) {
          path.unshift(at)
        }
        return [start, ...path]
      }
      if (cameFrom.has(next)) continue
      cameFrom.set(next, node)
      queue.push(next)
    }
  }
  return undefined
}

function reachable(graph: Graph, start: string): ReadonlySet<string> {
  const seen = new Set<string>()
  const queue = [start]
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const next of graph.get(node) ?? []) {
      if (seen.has(next)) continue
      seen.add(next)
      queue.push(next)
    }
  }
  return seen
}
