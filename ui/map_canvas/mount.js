// What the loader calls with every run of the page.
export function mount(component, store) {
  const { key } = component.data;
  if (!store.maps.has(key)) store.maps.set(key, makeMap(component.data, store));
  const map = store.maps.get(key);
  const home = component.parentElement.querySelector(".buju-home");
  if (home && map.root.parentElement !== home) {
    home.replaceChildren(map.root);
    map.moved = true;
  }
  map.accept(component);
  return () => map.tip.hide();
}

function makeMap(data, store) {
  if (data.edit) return new DrawingMap(store);
  return data.panes ? new PanesMap(store) : new BujuMap(store);
}
