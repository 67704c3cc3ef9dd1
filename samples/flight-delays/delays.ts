import type { ActorContext } from 'tidemark';

/** One departure; delays in minutes, negative when it left early. */
export interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly origin: string;
}

export interface AirportTotal {
  airport: string;
  flights: number;
  totalDelay: number;
  worstDelay: number;
}

export interface Alert {
  readonly airport: string;
  readonly date: string;
  readonly sumOfLast10: number;
}

/** Minutes of delay, summed over ten departures, above which an airport is in trouble. */
const troubleAbove = 600;

/** Counts an airport's flights and delays, and emits the totals after each flight. */
export const totals = {
  initial: (airport: string): AirportTotal => ({
    airport,
    flights: 0,
    totalDelay: 0,
    worstDelay: Number.NEGATIVE_INFINITY,
  }),
  receive(total: AirportTotal, flight: Flight, ctx: ActorContext<AirportTotal, string>): void {
    total.flights++;
    total.totalDelay += flight.delay;
    total.worstDelay = Math.max(total.worstDelay, flight.delay);
    ctx.emit(total);
  },
};

interface Recent {
  delays: number[];
  isInTrouble: boolean;
}

/** Remembers an airport's last ten delays, and emits an alert each time their sum rises above the limit. */
export const noticesDelays = {
  initial: (): Recent => ({ delays: [], isInTrouble: false }),
  receive(recent: Recent, flight: Flight, ctx: ActorContext<Alert, string>): void {
    recent.delays.push(flight.delay);
    if (recent.delays.length > 10) recent.delays.shift();
    const sumOfLast10 = recent.delays.reduce((sum, delay) => sum + delay, 0);
    const isInTrouble = recent.delays.length === 10 && sumOfLast10 > troubleAbove;
    if (isInTrouble && !recent.isInTrouble) ctx.emit({ airport: flight.origin, date: flight.date, sumOfLast10 });
    recent.isInTrouble = isInTrouble;
  },
};
