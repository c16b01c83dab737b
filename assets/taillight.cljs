;; Browser telemetry for Scittle over sente-lite: what a page does, as it happens, in the terminal.
;;
;; Load it after Scittle and sente-lite's `sente-lite.client-scittle`, then (app.telemetry/init-telemetry! url).
;; It watches and passes on; it never changes what the page's own calls return, and no mistake in here reaches the page.

(ns app.telemetry
  (:require [clojure.edn :as edn]
            [clojure.string :as str]
            [sente-lite.client-scittle :as sente]))

;; ---- settings ----

(def document-rates
  "Shares that keep the events of a busy site few: by subtype, and by action for what a user does."
  {:page-load 1.0 :api-call 0.1 :click 0.01 :scroll 0.001})

(declare sanitize-event)

(def defaults
  {:batch-events 100          ; events in one frame; as many waiting events are sent at once
   :flush-ms     5000         ; longest that an event waits
   :store-after  500          ; events waiting without a connection that go to the store
   :max-stored   2000         ; events in the store; beyond it the oldest go, and are counted
   :urgent?      true         ; errors and what is of high severity do not wait
   :sample-rates {}           ; {:click 0.01}, see document-rates; errors are always kept
   :console      [:warn :error]
   :collectors   #{:errors :promises :fetch :console :page-load :long-tasks :clicks :visibility}
   :long-task-ms 50
   :sanitize     #'sanitize-event
   :session-id   nil          ; one for each tab unless given
   :user-id      nil})

(def ^:private settings (atom defaults))

;; ---- state ----

(def telemetry-state
  (atom {:buffer [] :enabled? true :dropped 0 :last-flush 0}))

(def socket (atom nil))
(def connected? (atom false))
(def session-id (atom nil))
(def current-user-id (atom nil))

(def ^:private started? (atom false))
(def ^:private undo (atom []))
;; Whether telemetry itself is at work: what the page's console hears then is not the page's.
(def ^:private busy? (atom false))

(defn- quietly
  "What f gives, or nil if it throws: telemetry must not break its page."
  [f]
  (try (f) (catch :default _ nil)))

(defn- apart
  "What f gives, with the console not listened to meanwhile."
  [f]
  (if @busy?
    (quietly f)
    (do (reset! busy? true)
        (try (f) (catch :default _ nil) (finally (reset! busy? false))))))

(defn- cut [text limit]
  (if (> (count text) limit) (subs text 0 limit) text))

(defn- text-of
  "A short text of any value: the words of an error, the form of data, the string of a host object."
  [value]
  (cut (cond
         (string? value) value
         (instance? js/Error value) (str value)
         :else (or (quietly #(pr-str value)) "(unreadable)"))
       500))

(defn- plain
  "value as data that reads back: host objects become their text, functions too, and depth has an end."
  [value depth]
  (cond
    (or (nil? value) (string? value) (boolean? value) (keyword? value) (uuid? value)) value
    (number? value) value
    (symbol? value) (str value)
    (instance? js/Date value) (if (js/isNaN (.getTime value)) nil value)
    (instance? js/Error value) {:name (.-name value) :message (.-message value) :stack (.-stack value)}
    (> depth 8) (text-of value)
    (map? value) (into {} (map (fn [[k v]] [(if (keyword? k) k (text-of k)) (plain v (inc depth))])) value)
    (or (sequential? value) (set? value)) (mapv #(plain % (inc depth)) (take 1000 value))
    (array? value) (mapv #(plain % (inc depth)) (take 1000 (array-seq value)))
    (= js/Object (quietly #(.-constructor value))) (plain (js->clj value :keywordize-keys true) (inc depth))
    :else (cut (or (quietly #(str value)) "(unreadable)") 500)))

;; ---- privacy ----

(defn sanitize-event
  "event without what should not leave the browser: secrets, the rest of long texts, e-mail names, personal details."
  [event]
  (let [had (fn [event key change] (if (string? (get event key)) (update event key change) event))]
    (-> (dissoc event :password :token :api-key :credit-card)
        (had :message #(cut % 500))
        (had :stack #(cut % 2000))
        (had :email #(str/replace % #"@.+" "@***"))
        (as-> event (if (map? (:context event)) (update event :context dissoc :ssn :phone :address) event)))))

;; ---- offline store ----

(def ^:private store-prefix "taillight.events.")

(defn- store-key [] (str store-prefix @session-id))

(defn- stored
  "The events under key; what cannot be read is given up."
  [key]
  (or (quietly #(let [events (edn/read-string (.getItem js/localStorage key))]
                  (when (vector? events) events)))
      []))

(defn- drop-oldest
  "events without those over limit; how many that were is added to the count of dropped ones."
  [events limit]
  (let [over (- (count events) limit)]
    (if (pos? over)
      (do (swap! telemetry-state update :dropped + over) (subvec events over))
      events)))

(defn- write-store!
  "Puts events into the store; true if they are there."
  [events]
  (boolean (quietly #(if (empty? events)
                       (do (.removeItem js/localStorage (store-key)) true)
                       (do (.setItem js/localStorage (store-key) (pr-str events)) true)))))

(defn- store-buffer!
  "Moves the waiting events into the store; where that is full or forbidden, they stay, but not without end."
  []
  (let [waiting (:buffer @telemetry-state)
        all (drop-oldest (into (stored (store-key)) waiting) (:max-stored @settings))]
    (if (write-store! all)
      (swap! telemetry-state assoc :buffer [])
      (swap! telemetry-state assoc :buffer (drop-oldest waiting (:max-stored @settings))))))

(defn- adopt!
  "Takes over what closed tabs have left in the store."
  []
  (quietly
    (fn []
      (doseq [key (vec (js/Object.keys js/localStorage))
              :when (and (str/starts-with? key store-prefix) (not= key (store-key)))]
        (let [events (stored key)]
          (.removeItem js/localStorage key)
          (write-store! (drop-oldest (into events (stored (store-key))) (:max-stored @settings))))))))

;; ---- sending ----

(defn- send!
  "Whether message went out. Without a connection nothing is tried: sente-lite would warn about it."
  [message]
  (and @socket @connected? (true? (apart #(sente/send! @socket message)))))

(defn- send-all!
  "Sends events in frames; gives those that did not go out."
  [events]
  (loop [rest-events events]
    (let [batch (vec (take (:batch-events @settings) rest-events))]
      (if (and (seq batch) (send! [:log/batch batch]))
        (recur (vec (drop (count batch) rest-events)))
        rest-events))))

(defn flush-events!
  "Sends what waits. What does not go out goes on waiting, and to the store when it is much."
  []
  (if @connected?
    (let [events (:buffer @telemetry-state)
          left (send-all! events)
          sent (- (count events) (count left))]
      ;; Events may have come while these went.
      (swap! telemetry-state update :buffer #(vec (drop sent %)))
      (swap! telemetry-state assoc :last-flush (.now js/Date)))
    (when (> (count (:buffer @telemetry-state)) (:store-after @settings))
      (store-buffer!)))
  nil)

(defn- flush-store!
  "Sends what the store holds, oldest first, and forgets it once it is out."
  []
  (let [events (stored (store-key))]
    (when (seq events)
      (write-store! (send-all! events)))))

(defn- on-ready [& _]
  (reset! connected? true)
  (quietly
    (fn []
      (let [dropped (:dropped @telemetry-state)]
        (flush-store!)
        (flush-events!)
        (when (and (pos? dropped)
                   (send! [:log/batch [{:type :log :level :warn :message (str dropped " events dropped while offline")
                                        :dropped dropped :timestamp (.now js/Date) :session-id @session-id}]]))
          (swap! telemetry-state update :dropped - dropped))))))

(defn- on-close [& _]
  (reset! connected? false))

;; ---- events ----

(defn critical-event? [event]
  (or (= :error (:type event)) (= :high (:severity event))))

(defn- rate-of [event]
  (let [rates (:sample-rates @settings)]
    (if (= :error (:type event)) 1.0 (get rates (:action event) (get rates (:subtype event) 1.0)))))

(defn- completed [event rate]
  (let [event (plain event 0)
        known (cond-> {:timestamp (.now js/Date) :session-id @session-id}
                @current-user-id (assoc :user-id @current-user-id)
                (< rate 1.0) (assoc :sampled rate))]
    (merge known event)))

(defn add-event!
  "Takes an event: sent at once when it is critical, else with the next batch."
  [event]
  (when (:enabled? @telemetry-state)
    (apart
      (fn []
        (let [rate (rate-of event)]
          (when (or (>= rate 1.0) (< (rand) rate))
            (when-let [event ((:sanitize @settings) (completed event rate))]
              (when-not (and (:urgent? @settings) (critical-event? event) (send! [:log/urgent [event]]))
                (swap! telemetry-state update :buffer conj event)
                (when (>= (count (:buffer @telemetry-state)) (:batch-events @settings))
                  (flush-events!)))))))
      nil)))

;; ---- collectors ----

(defn- listen!
  "Adds a listener to target that stop! removes."
  [target event f]
  (let [listener (fn [e] (quietly #(f e)) nil)]
    (.addEventListener target event listener true)
    (swap! undo conj #(.removeEventListener target event listener true))))

(defn- watch-errors! []
  (listen! js/window "error"
    (fn [e]
      ;; Images and scripts that fail to load say it here too, without a message.
      (when (.-message e)
        (add-event! {:type :error :subtype :javascript
                     :message (.-message e)
                     :stack (some-> (.-error e) .-stack)
                     :location {:url (.-filename e) :line (.-lineno e) :column (.-colno e)}
                     :user-agent (.-userAgent js/navigator)
                     :severity :high})))))

(defn- watch-promises! []
  (listen! js/window "unhandledrejection"
    (fn [e]
      (let [reason (.-reason e)]
        (add-event! {:type :error :subtype :promise
                     :message (text-of reason)
                     :stack (quietly #(some-> reason .-stack))
                     :severity :high})))))

(defn- address-of [input]
  (let [written (cond (string? input) input
                      (some? (.-href input)) (.-href input)
                      (some? (.-url input)) (.-url input)
                      :else (str input))]
    (or (quietly #(.-href (js/URL. written (.-baseURI js/document)))) written)))

(defn- watch-fetch! []
  (when-let [original (.-fetch js/window)]
    (let [bound (.bind original js/window)]
      (set! (.-fetch js/window)
        (fn [& args]
          (let [start (.now js/performance)
                promise (apply bound args)]
            (quietly
              (fn []
                (let [[input options] args
                      method (or (some-> options .-method) (when-not (string? input) (.-method input)) "GET")
                      call {:url (address-of input) :method (str/upper-case method)}
                      spent #(- (.now js/performance) start)]
                  (.then promise
                    (fn [response]
                      (add-event! (assoc call :type :metric :subtype :api-call
                                              :status (.-status response) :duration-ms (spent))))
                    (fn [error]
                      (if (= "AbortError" (quietly #(.-name error)))
                        (add-event! (assoc call :type :metric :subtype :api-call :aborted true :duration-ms (spent)))
                        (add-event! (assoc call :type :error :subtype :network :message (text-of error)
                                                :duration-ms (spent) :severity :medium))))))))
            promise)))
      (swap! undo conj #(set! (.-fetch js/window) original)))))

(defn- console-event [level args]
  (let [error (first (filter #(instance? js/Error %) args))]
    (cond-> {:type (if (= level :error) :error :log)
             :subtype :console
             :level level
             :message (str/join " " (map text-of args))
             :severity (if (= level :error) :medium :low)}
      error (assoc :stack (.-stack error)))))

(defn- watch-console! []
  (doseq [level (:console @settings)]
    (let [method (name level)
          original (aget js/console method)]
      (aset js/console method
        (fn [& args]
          (.apply original js/console (to-array args))
          (quietly
            (fn []
              (when-not @busy?
                (let [event (console-event level args)]
                  ;; sente-lite's own words about a lost connection would come back as ever more events.
                  (when-not (str/includes? (:message event) "sente-lite")
                    (add-event! event))))))
          nil))
      (swap! undo conj #(aset js/console method original)))))

(defn- report-page-load! []
  (let [entry (first (.getEntriesByType js/performance "navigation"))
        resources (.getEntriesByType js/performance "resource")
        between (fn [from to] (js/Math.round (- to from)))]
    (when entry
      (add-event!
        {:type :metric :subtype :page-load
         :url (.-href js/location)
         :timing {:dns-lookup (between (.-domainLookupStart entry) (.-domainLookupEnd entry))
                  :tcp-connect (between (.-connectStart entry) (.-connectEnd entry))
                  :tls-handshake (if (pos? (.-secureConnectionStart entry))
                                   (between (.-secureConnectionStart entry) (.-connectEnd entry))
                                   0)
                  :server-response (between (.-requestStart entry) (.-responseEnd entry))
                  :dom-content-loaded (between 0 (.-domContentLoadedEventEnd entry))
                  :fully-loaded (between 0 (.-loadEventEnd entry))}
         :resources {:count (.-length resources)
                     :total-size-kb (js/Math.round (/ (reduce + 0 (map #(or (.-transferSize %) 0) (array-seq resources)))
                                                      1024))}}))))

(defn- watch-page-load! []
  ;; Scittle reads a script with src after the page has loaded, when nobody is told of it any more.
  (let [soon #(js/setTimeout (fn [] (quietly report-page-load!)) 0)]
    (if (= "complete" (.-readyState js/document))
      (soon)
      (listen! js/window "load" soon))))

(defn- watch-long-tasks! []
  (when js/window.PerformanceObserver
    (let [observer (js/PerformanceObserver.
                     (fn [entries _]
                       (doseq [entry (array-seq (.getEntries entries))
                               :when (> (.-duration entry) (:long-task-ms @settings))]
                         (add-event! {:type :metric :subtype :long-task
                                      :duration-ms (.-duration entry)
                                      :start-time (.-startTime entry)}))))]
      (quietly #(.observe observer #js {:type "longtask" :buffered true}))
      (swap! undo conj #(.disconnect observer)))))

(defn- watch-clicks! []
  (listen! js/document "click"
    (fn [e]
      (let [target (.-target e)
            label (some-> (.-textContent target) str/trim)]
        (add-event! (cond-> {:type :analytics :subtype :user-action :action :click
                             :element (some-> (.-localName target) str)
                             :page (.-pathname js/location)}
                      (seq (.-id target)) (assoc :element-id (.-id target))
                      ;; The class of an SVG element is no string.
                      (seq (.getAttribute target "class")) (assoc :element-class (.getAttribute target "class"))
                      (and (seq label) (< (count label) 50)) (assoc :element-text label)))))))

(defn- watch-visibility! []
  (listen! js/document "visibilitychange"
    (fn [_]
      (add-event! {:type :analytics :subtype :visibility :visible? (not (.-hidden js/document))}))))

(def ^:private collectors
  [[:errors watch-errors!]
   [:promises watch-promises!]
   [:fetch watch-fetch!]
   [:console watch-console!]
   [:page-load watch-page-load!]
   [:long-tasks watch-long-tasks!]
   [:clicks watch-clicks!]
   [:visibility watch-visibility!]])

;; ---- beginning and end ----

(defn- tab-session
  "The id of this tab, the same after a reload."
  []
  (or (quietly #(.getItem js/sessionStorage "taillight.cljs.session"))
      (let [id (str "sess-" (random-uuid))]
        (quietly #(.setItem js/sessionStorage "taillight.cljs.session" id))
        id)))

(defn- on-leave [_]
  (flush-events!)
  (when (seq (:buffer @telemetry-state))
    (store-buffer!)))

(defn init-telemetry!
  "Connects to url (default ws://127.0.0.1:8245/chsk) and begins to watch. options: any of defaults."
  ([] (init-telemetry! nil nil))
  ([url] (init-telemetry! url nil))
  ([url options]
   (when-not @started?
     (reset! started? true)
     (swap! settings merge options)
     (reset! session-id (or (:session-id @settings) (tab-session)))
     (reset! current-user-id (:user-id @settings))
     (swap! telemetry-state assoc :enabled? true)
     (adopt!)
     (doseq [[collector watch!] collectors
             :when (contains? (:collectors @settings) collector)]
       (quietly watch!))
     (let [timer (js/setInterval #(quietly flush-events!) (:flush-ms @settings))]
       (swap! undo conj #(js/clearInterval timer)))
     ;; A page may end without a word; hidden is the last that is sure to be told.
     (listen! js/window "pagehide" on-leave)
     (listen! js/document "visibilitychange" #(when (.-hidden js/document) (on-leave %)))
     ;; on-open is not told where the first attempt failed, only on-reconnect.
     (reset! socket
       (apart #(sente/make-client! {:url (or url "ws://127.0.0.1:8245/chsk")
                                    :on-open on-ready
                                    :on-reconnect on-ready
                                    :on-close on-close}))))
   nil))

(defn stop!
  "Undoes what init-telemetry! did; what still waits is kept for later."
  []
  (on-leave nil)
  (doseq [f (reverse @undo)] (quietly f))
  (reset! undo [])
  (swap! telemetry-state assoc :enabled? false)
  (when @socket
    (apart #(sente/close! @socket)))
  (reset! socket nil)
  (reset! connected? false)
  (reset! started? false)
  nil)

;; ---- what a page says itself ----

(defn set-user! [user-id]
  (reset! current-user-id user-id)
  nil)

(defn log!
  "A line of the app's own log."
  [level message & [context]]
  (add-event! (cond-> {:type :log :level level :message message}
                (some? context) (assoc :context context))))

(defn track!
  "Something a user did, by name."
  [event-name & [properties]]
  (add-event! (cond-> {:type :analytics :subtype :custom :event-name event-name}
                (some? properties) (assoc :properties properties))))

(defn metric!
  "A number, by name."
  [metric-name value & [unit]]
  (add-event! (cond-> {:type :metric :subtype :custom :metric-name metric-name :value value}
                (some? unit) (assoc :unit unit))))

(defn render!
  "How long a component took to render."
  [component render-time-ms & [more]]
  (add-event! (merge {:type :metric :subtype :render :component component :render-time-ms render-time-ms} more)))
