import { VirtualAction, VirtualTimeScheduler } from 'rxjs';

/** A scheduler whose time stands still until a spec moves it; what falls due on the way happens at its own time. */
export class VirtualTime {
  readonly scheduler = new VirtualTimeScheduler(VirtualAction, 0);

  get now(): number {
    return this.scheduler.now();
  }

  /** Moves time on by `ms`. */
  advance(ms: number): void {
    this.scheduler.maxFrames = this.scheduler.frame + ms;
    this.scheduler.flush();
    this.scheduler.frame = this.scheduler.maxFrames;
  }
}
