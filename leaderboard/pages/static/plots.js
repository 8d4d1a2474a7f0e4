// Draws a plot once it is in sight: then Plotly is loaded, from this site, and what is to be drawn. The table below has
// the same figures, so nothing is lost without this file.
"use strict";

(() => {
  const figure = document.getElementById("plot");
  const canvas = document.getElementById("canvas");
  const state = document.getElementById("state");
  const png = document.getElementById("png");
  const again = document.getElementById("again");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const mouse = matchMedia("(pointer: fine)");
  const NARROW = 600;
  const LINE = 24;
  const MANY = 1000;
  let chart = null;

  // Plotly takes <b>, <a href> and <br> in a text for markup, and &lt; for a letter: names are neither.
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const lines = (text) => text.split("\n").map(plain).join("<br>");
  const short = (text, most) => plain(text.length > most ? `${text.slice(0, most - 1)}…` : text);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function library() {
    if (window.Plotly) return Promise.resolve();
    return new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = figure.dataset.library;
      script.addEventListener("load", done);
      script.addEventListener("error", () => { script.remove(); failed(new Error("the library")); });
      document.head.append(script);
    });
  }

  async function asked() {
    const answer = await fetch(figure.dataset.chart);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  // Bars stand behind what they belong to: a variable of the style sheet is a colour of six digits.
  const faint = (ink) => /^#[0-9a-f]{6}$/i.test(ink) ? `${ink}80` : ink;

  function bars(values, ends, ink) {
    const far = (end) => ends.map((each, place) => each ? Math.abs(each[end] - values[place]) : null);
    const drawn = { color: faint(ink), thickness: 1.5, width: 0 };
    return { type: "data", symmetric: false, array: far(1), arrayminus: far(0), ...drawn };
  }

  function traceOf(series) {
    const ink = colour(series.colour);
    const trace = { type: "scatter", name: short(series.name, 40), x: series.x, y: series.y, hoverinfo: "skip" };
    trace.mode = [series.line && "lines", series.symbol && "markers"].filter(Boolean).join("+");
    const size = series.x.length > MANY ? 5 : 9;
    if (series.symbol) trace.marker = { symbol: series.symbol, color: ink, size, line: { color: ink, width: 1.5 } };
    if (series.line) trace.line = { color: ink, width: 2, dash: series.line, shape: series.stepped ? "hv" : "linear" };
    if (series.texts.length) Object.assign(trace, { hoverinfo: "text", hovertext: series.texts.map(lines) });
    if (series.x_ends.some(Boolean)) trace.error_x = bars(series.x, series.x_ends, ink);
    if (series.y_ends.some(Boolean)) trace.error_y = bars(series.y, series.y_ends, ink);
    return trace;
  }

  function axisOf(axis, width) {
    const line = colour("line");
    const shown = { gridcolor: line, linecolor: line, zeroline: false, automargin: true };
    shown.title = { text: plain(axis.title) };
    shown.type = axis.log ? "log" : axis.dates ? "date" : "linear";
    if (axis.low !== null) shown.range = [axis.low, axis.high].map((end) => axis.log ? Math.log10(end) : end);
    if (axis.ticks.length) {
      const most = width < NARROW ? 16 : 40;
      const ticktext = axis.labels.map((each) => short(each, most));
      Object.assign(shown, { tickmode: "array", tickvals: axis.ticks, ticktext });
    }
    return shown;
  }

  function layoutOf(width, title) {
    const height = chart.rows ? 150 + LINE * chart.rows : Math.max(400, Math.min(640, width * 0.6));
    const legend = width < NARROW ? 20 * chart.series.length : 20; // One below the other where there is no room beside.
    const layout = {
      height: Math.max(height, 260) + legend,
      font: { family: "system-ui, sans-serif", size: 13, color: colour("ink") },
      paper_bgcolor: colour("card"),
      plot_bgcolor: colour("card"),
      margin: { l: 56, r: 16, t: title ? 90 : 40, b: 50 },
      legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", itemclick: false, itemdoubleclick: false },
      hoverlabel: {
        bgcolor: colour("paper"), bordercolor: colour("soft"), font: { color: colour("ink") }, align: "left",
      },
      hovermode: "closest",
      dragmode: mouse.matches ? "zoom" : false, // A finger on it scrolls the page.
      xaxis: axisOf(chart.x, width),
      yaxis: axisOf(chart.y, width),
    };
    if (title) layout.title = { text: plain(title), x: 0.02, xanchor: "left", y: 0.98, yanchor: "top" };
    return layout;
  }

  function show() {
    const config = { displayModeBar: false, responsive: true, typesetMath: false, showTips: false };
    return window.Plotly.react(canvas, chart.series.map(traceOf), layoutOf(canvas.clientWidth, ""), config);
  }

  async function draw() {
    state.textContent = "Loading the drawing…";
    again.hidden = true;
    try {
      [chart] = await Promise.all([asked(), library()]);
      await show();
      state.textContent = mouse.matches ? "Drag to look closer; a double click shows all again." : "";
      png.disabled = false;
    } catch (error) {
      console.warn("The plot could not be drawn.", error);
      state.textContent = "The drawing could not be loaded. The table below has all figures.";
      again.hidden = false;
    }
  }

  async function save() {
    png.disabled = true;
    try {
      const width = 1200;
      const layout = layoutOf(width, chart.title);
      const picture = { data: chart.series.map(traceOf), layout, config: { typesetMath: false } };
      const link = document.createElement("a");
      link.href = await window.Plotly.toImage(picture, { format: "png", width, height: layout.height, scale: 2 });
      link.download = `${figure.dataset.name}.png`;
      link.click();
    } catch (error) {
      console.warn("No picture could be made.", error);
      state.textContent = "No picture could be made here. The data can be downloaded all the same.";
    }
    png.disabled = false;
  }

  figure.hidden = false;
  png.addEventListener("click", save);
  again.addEventListener("click", draw);
  dark.addEventListener("change", () => { if (chart) show(); });
  new IntersectionObserver((seen, watch) => {
    if (!seen.some((each) => each.isIntersecting)) return;
    watch.disconnect();
    draw();
  }).observe(canvas);
})();
