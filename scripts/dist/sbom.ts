/**
 * The software bill of materials, in CycloneDX: what esbuild has put into the bundle.
 *
 * Not npm's (`npm sbom --omit=dev`): npm 11 leaves out libraries that a tool of the development uses as well.
 */
import { createHash } from 'node:crypto';
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import type { Bundled } from './bundle.ts';
import { manifestOf } from './manifest.ts';

/** @returns the bill as JSON. The same libraries make the same text: it has no date. */
export function softwareBillOfMaterials(bundled: Bundled): string {
  const bill = new Models.Bom();
  const own = componentOf('.', Enums.ComponentType.Application);
  bill.metadata.component = own;
  for (const folder of bundled) {
    const component = componentOf(folder, Enums.ComponentType.Library);
    bill.components.add(component);
    own.dependencies.add(component.bomRef);
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  const format = { sortLists: true, space: 1 };
  // A serial number names one bill, and so its contents.
  bill.serialNumber = uuidOf(serializer.serialize(bill, format));
  return `${serializer.serialize(bill, format)}\n`;
}

function componentOf(folder: string, type: Enums.ComponentType): Models.Component {
  const about = manifestOf(folder);
  const purl = `pkg:npm/${about.name.replace('@', '%40')}@${about.version}`;
  const component = new Models.Component(type, about.name, { version: about.version, bomRef: purl, purl });
  if (about.license !== undefined) component.licenses.add(new Models.LicenseExpression(about.license));
  return component;
}

/** A UUID of version 8, whose bits are free (RFC 9562, section 5.8). */
function uuidOf(text: string): string {
  const [, a, b, c, d, e] =
    /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/.exec(createHash('sha256').update(text).digest('hex')) ?? [];
  return `urn:uuid:${a}-${b}-8${c}-8${d}-${e}`;
}
