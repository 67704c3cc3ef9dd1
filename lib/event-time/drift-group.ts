/** A source that should not run ahead of others. */
export interface DriftMember {
  /** Its watermark; `undefined` while it holds nobody back: it is idle, has ended, or had no record yet. */
  readonly holdsAt: number | undefined;
  /** The lowest watermark of the group is now this one; `undefined`: nobody holds anybody back. */
  follow(lowest: number | undefined): void;
}

/** Sources of a task whose watermarks stay close together. */
export class DriftGroup {
  readonly #members = new Set<DriftMember>();
  #lowest: number | undefined;

  add(member: DriftMember): void {
    this.#members.add(member);
  }

  remove(member: DriftMember): void {
    this.#members.delete(member);
    this.#tell();
  }

  /** A member's watermark, or what it counts, has changed. */
  changed(member: DriftMember): void {
    if (!this.#tell()) member.follow(this.#lowest);
  }

  #tell(): boolean {
    let lowest: number | undefined;
    for (const { holdsAt } of this.#members) {
      if (holdsAt !== undefined && (lowest === undefined || holdsAt < lowest)) lowest = holdsAt;
    }
    if (lowest === this.#lowest) return false;
    this.#lowest = lowest;
    for (const member of this.#members) member.follow(lowest);
    return true;
  }
}
