/** Parts that the schemas of the herd file have in common. */
import * as v from 'valibot';

/** JSON can name numbers that are too large for a number: `1e999` is read as Infinity. */
export const finite = v.pipe(v.number(), v.finite());
/** Counts come from workers, too, which may say any: 2^64 - 1 is one. */
export const count = v.pipe(finite, v.integer(), v.minValue(0));
export const pid = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** A field that may be null. It is null if it is missing. */
export const orNull = <Schema extends v.GenericSchema>(schema: Schema): v.NullishSchema<Schema, null> =>
  v.nullish(schema, null);

const numberKey = v.pipe(v.string(), v.digits(), v.transform(Number));

/** An object whose keys are numbers: pids, generations or slots. */
export const numbered = <Schema extends v.GenericSchema>(
  schema: Schema,
): v.RecordSchema<typeof numberKey, Schema, undefined> => v.record(numberKey, schema);
