// Windows are aligned to 1970, and hold the times from their start up to, but without, their end.

/** The end of the window of `size` ms that holds `time`. */
export const windowEnd = (time: number, size: number): number => time - (time % size) + size;
