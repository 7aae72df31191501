import { MAXIMUM_LEVELS } from "./topic";
import { hiddenFromWildcards, TopicPattern } from "./topic-pattern";

/** What the patterns that begin with the same levels have next. */
class Node<Value> {
  readonly literals = new Map<string, Node<Value>>();
  any: Node<Value> | undefined;
  /** Values whose pattern ends here. */
  readonly closed: Value[] = [];
  /** Values whose pattern goes on from here with any levels. */
  readonly open: Value[] = [];

  /** Where the names lead whose next level is exactly this one. A `+` is a level that no pattern names. */
  follow(level: string, index: number): Node<Value>[] {
    const any = hiddenFromWildcards(level, index) ? undefined : this.any;
    return [this.literals.get(level), any].filter((node) => node !== undefined);
  }

  make(level: string): Node<Value> {
    if (level === "+") return (this.any ??= new Node());
    const found = this.literals.get(level) ?? new Node();
    this.literals.set(level, found);
    return found;
  }
}

/** Values by the topic names that they are about: a tree of levels. */
export class TopicIndex<Value> {
  private readonly root = new Node<Value>();

  add({ levels, open }: TopicPattern, value: Value): void {
    const node = levels.reduce((from, level) => from.make(level), this.root);
    (open ? node.open : node.closed).push(value);
  }

  /** The values that share at least one topic name with the pattern, each once. */
  overlapping({ levels, open }: TopicPattern): Set<Value> {
    const found = new Set<Value>();
    const visit = (node: Node<Value>, depth: number): void => {
      for (const value of node.open) found.add(value);
      if (depth >= levels.length) for (const value of node.closed) found.add(value);
      const level = levels[depth] ?? (open ? "+" : undefined);
      if (level === undefined) return;
      if (level === "+") {
        for (const [name, next] of node.literals) if (!hiddenFromWildcards(name, depth)) visit(next, depth + 1);
      }
      for (const next of node.follow(level, depth)) visit(next, depth + 1);
    };
    visit(this.root, 0);
    return found;
  }

  /**
   * Whether every topic name that matches the pattern is about some value.
   *
   * It is enough to look at one name of each length, with a level that no pattern names wherever the given one takes any
   * level: what matches that name matches all names of its length.
   */
  covers({ levels, open }: TopicPattern): boolean {
    let nodes = [this.root];
    for (let depth = 0; depth < MAXIMUM_LEVELS; depth += 1) {
      nodes = nodes.flatMap((node) => node.follow(levels[depth] ?? "+", depth));
      if (nodes.some((node) => node.open.length > 0)) return true;
      if (depth + 1 < levels.length) continue;
      if (!nodes.some((node) => node.closed.length > 0)) return false;
      if (!open) return true;
    }
    return true;
  }
}
