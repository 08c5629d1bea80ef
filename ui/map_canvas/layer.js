const BOX_MARGIN_PX = 10;

// A canvas that follows the map like Leaflet's own renderers; ``paint`` draws one frame.
const CanvasLayer = L.Renderer.extend({
  options: { padding: 0.12 },
  initialize(paint, options) {
    L.Renderer.prototype.initialize.call(this, options);
    this.paint = paint;
  },
  _initContainer() {
    this._container = document.createElement("canvas");
    this._container.style.pointerEvents = "none";
  },
  _destroyContainer() {
    this._container.remove();
  },
  _updatePaths() {},
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    const size = this._bounds.getSize(), ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    const canvas = this._container;
    L.DomUtil.setPosition(canvas, this._bounds.min);
    if (canvas.width !== Math.round(size.x * ratio) || canvas.height !== Math.round(size.y * ratio)) {
      canvas.width = Math.round(size.x * ratio);
      canvas.height = Math.round(size.y * ratio);
      canvas.style.width = `${size.x}px`;
      canvas.style.height = `${size.y}px`;
    }
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, size.x, size.y);
    const corner = this._map.getPixelOrigin().add(this._bounds.min), zoom = this._map.getZoom();
    this.paint(ctx, { left: corner.x, top: corner.y, width: size.x, height: size.y, zoom, scale: 2 ** (zoom - 22) });
  },
  // Paints one box of the world (in steps) anew and leaves the rest as it is.
  repaintBox([left, top, right, bottom]) {
    if (!this._bounds || this._map._animatingZoom) return;
    const zoom = this._map.getZoom(), scale = 2 ** (zoom - 22), size = this._bounds.getSize();
    const corner = this._map.getPixelOrigin().add(this._bounds.min), ratio = this._container.width / size.x;
    // Whole pixels of the screen, or the rim of the box would be seen.
    const cut = (value, most, round) => round(Math.max(0, Math.min(most, value)) * ratio) / ratio;
    const clip = [
      cut(left * scale - corner.x - BOX_MARGIN_PX, size.x, Math.floor), cut(top * scale - corner.y - BOX_MARGIN_PX, size.y, Math.floor),
      cut(right * scale - corner.x + BOX_MARGIN_PX, size.x, Math.ceil), cut(bottom * scale - corner.y + BOX_MARGIN_PX, size.y, Math.ceil),
    ];
    const [wide, high] = [clip[2] - clip[0], clip[3] - clip[1]];
    if (wide <= 0 || high <= 0) return;
    const ctx = this._container.getContext("2d");
    ctx.save();
    ctx.beginPath();
    ctx.rect(clip[0], clip[1], wide, high);
    ctx.clip();
    ctx.clearRect(clip[0], clip[1], wide, high);
    this.paint(ctx, { left: corner.x, top: corner.y, width: size.x, height: size.y, zoom, scale, clip });
    ctx.restore();
  },
});
