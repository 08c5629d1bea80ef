// Sent with every run, so it is short: finds the map engine (sent once) and hands it the data.
const store = (globalThis.bujuMap ??= { engines: new Map(), parts: new Map(), maps: new Map() });

export default async function (component) {
  const data = component.data;
  if (!data) return undefined;
  if (data.engine.source && !store.engines.has(data.engine.hash)) {
    const url = URL.createObjectURL(new Blob([data.engine.source], { type: "text/javascript" }));
    store.engines.set(data.engine.hash, import(url));
  }
  const engine = await store.engines.get(data.engine.hash);
  if (!engine) {
    const hashes = [data.engine.hash, ...Object.values(data.parts).filter(Boolean).map((part) => part.hash)];
    component.setStateValue("missing", { n: `${Date.now()}`, hashes });
    return undefined;
  }
  return engine.mount(component, store);
}
