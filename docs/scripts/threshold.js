// The slider of the page about thresholds. Both errors are drawn over the threshold; nothing is fetched.
(() => {
  const figure = document.getElementById("threshold-plot");
  if (!figure) return;
  const curves = JSON.parse(figure.querySelector("script").textContent);
  const [choice, slider] = [figure.querySelector("select"), figure.querySelector("input")];
  const [panel, said] = [figure.querySelector(".panels"), figure.querySelector(".said")];
  const [left, top, width, height] = [44, 14, 350, 220];
  choice.parentElement.hidden = choice.options.length < 2;

  const between = (curve, name, at) => {
    const right = curve.at.findIndex((edge) => edge >= at);
    if (right <= 0) return curve[name][right < 0 ? curve.at.length - 1 : 0];
    const [low, high] = [curve.at[right - 1], curve.at[right]];
    const share = (at - low) / (high - low);
    return curve[name][right - 1] * (1 - share) + curve[name][right] * share;
  };
  const percent = (rate) => `${(100 * rate).toFixed(rate < 0.1 ? 1 : 0)} %`;

  const draw = () => {
    const curve = curves[choice.value];
    const at = Number(slider.value);
    const [attacks, live] = [between(curve, "apcer", at), between(curve, "bpcer", at)];
    const most = Math.max(...curve.apcer, ...curve.bpcer, 0.1);
    const x = (edge) => left + edge * width;
    const y = (rate) => top + (1 - rate / most) * height;
    const line = (name, kind) =>
      `<polyline class="${kind}" points="${curve.at.map((edge, i) => `${x(edge)},${y(curve[name][i])}`).join(" ")}"/>`;
    const across = [0, 0.25, 0.5, 0.75, 1]
      .map((edge) => `<text x="${x(edge)}" y="${top + height + 18}" text-anchor="middle">${edge}</text>`);
    const up = [0, most / 2, most].map(
      (rate) => `<line class="grid" x1="${left}" x2="${left + width}" y1="${y(rate)}" y2="${y(rate)}"/>` +
        `<text x="${left - 6}" y="${y(rate) + 4}" text-anchor="end">${Math.round(100 * rate)}</text>`);
    panel.innerHTML =
      `<svg viewBox="0 0 412 262" role="img" aria-label="Both errors over the threshold, in percent">${across.join("")}` +
      `${up.join("")}${line("apcer", "s1")}${line("bpcer", "s0")}` +
      `<line class="equal" x1="${x(at)}" x2="${x(at)}" y1="${top}" y2="${top + height}"/>` +
      `<circle class="s1" cx="${x(at)}" cy="${y(attacks)}" r="5"/><circle class="s0" cx="${x(at)}" cy="${y(live)}" r="5"/></svg>`;
    said.innerHTML =
      `At a threshold of <b>${at.toFixed(2)}</b>: <b class="t1">${percent(attacks)}</b> of attacks pass, ` +
      `<b class="t0">${percent(live)}</b> of live people are refused.`;
  };
  slider.addEventListener("input", draw);
  choice.addEventListener("change", draw);
  draw();
})();
