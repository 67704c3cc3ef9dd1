import avsc from 'avsc';
import { bigintLongs } from './bigint-longs.ts';
import { boundedTypes } from './bounded-types.ts';

/** The JSON of an Avro schema, as a value or a text, or the name of a primitive type. */
export type AvroSchema = string | object;

/** An Avro type's way between bytes and values: what the package avsc makes of a schema. */
export type AvroType = avsc.Type;

/** How values look; what is passed on to avsc. */
export interface AvroValueOptions {
  /**
   * What longs are: `'number'` (default; one beyond 2^53, which a number cannot hold exactly, is an error) or `'bigint'`.
   */
  readonly longs?: 'number' | 'bigint';
  /** Classes derived from avsc's `types.LogicalType`, by name; without one, values are those of the underlying type. */
  readonly logicalTypes?: Readonly<
    Record<string, new (schema: avsc.Schema, options?: unknown) => avsc.types.LogicalType>
  >;
  /** Whether values of unions stand in an object with their type's name: avsc's `wrapUnions`, default `'auto'`: where ambiguous. */
  readonly wrapUnions?: boolean | 'auto' | 'always' | 'never';
}

/** The JSON of a schema; throws where the text is none. */
export function schemaJson(schema: AvroSchema): avsc.Schema {
  // avsc's own types leave out `readonly`.
  if (typeof schema !== 'string') return structuredClone(schema) as unknown as avsc.Schema;
  if (/^[a-z]+$/.test(schema)) return schema as avsc.Schema;
  return JSON.parse(schema) as avsc.Schema;
}

/** The type of a schema whose named types may stand in `references`, each behind what it names itself; throws where it is none. */
export function avroType(schema: AvroSchema, references: readonly AvroSchema[], options: AvroValueOptions): AvroType {
  const { longs = 'number', logicalTypes, wrapUnions } = options;
  const forSchema = {
    registry: longs === 'bigint' ? { long: bigintLongs } : {},
    omitRecordMethods: true,
    typeHook: boundedTypes(logicalTypes),
    ...(logicalTypes === undefined ? {} : { logicalTypes }),
    ...(wrapUnions === undefined ? {} : { wrapUnions }),
  };
  for (const named of references) avsc.Type.forSchema(schemaJson(named), forSchema);
  const type = avsc.Type.forSchema(schemaJson(schema), forSchema);
  makePlain(type, new Set());
  return type;
}

interface Walked {
  readonly fields?: readonly { readonly name: string; readonly type: AvroType }[];
  readonly itemsType?: AvroType;
  readonly valuesType?: AvroType;
  readonly types?: readonly AvroType[];
  readonly underlyingType?: AvroType;
  readonly recordConstructor?: { prototype: unknown };
  readonly _branchConstructor?: { prototype: unknown } | null;
}

/**
 * Lets records and wrapped values be plain objects instead of instances of classes that avsc generates: only plain ones
 * go through drafts and snapshots.
 */
function makePlain(type: AvroType, seen: Set<AvroType>): void {
  if (seen.has(type)) return;
  seen.add(type);
  const { fields = [], types = [], itemsType, valuesType, underlyingType, ...own } = type as AvroType & Walked;
  for (const made of [own.recordConstructor, own._branchConstructor]) {
    if (made) made.prototype = Object.prototype;
  }
  for (const field of fields) {
    // Its setter would swallow the value.
    if (field.name === '__proto__') throw new Error('it has a field "__proto__", which no object can have');
    makePlain(field.type, seen);
  }
  for (const inner of [...types, itemsType, valuesType, underlyingType]) if (inner) makePlain(inner, seen);
}
