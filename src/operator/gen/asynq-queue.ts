// Generated from crds/asynq.dev_asynqqueues.yaml by scripts/generate-crd-types.ts; do not edit.

/**
 * What is wanted.
 */
export interface AsynqQueueSpec {
  /**
   * Name of the queue in Redis, any that asynq accepts; compared byte by byte. Absent, it is metadata.name.
   */
  queue?: string;
  /**
   * Whether the queue is paused in Redis; kept so against other hands. Absent, it is left alone.
   */
  paused?: boolean;
  /**
   * Where the queue lives. Absent, it is the operator's default connection.
   */
  redis?: {
    /**
     * Cluster, or one Standalone server.
     */
    mode: 'Cluster' | 'Standalone';
    /**
     * host:port of any nodes of the cluster (the rest is found from there), or of the one server.
     */
    addrs: string[];
    /**
     * Number of the database on a Standalone server; absent, 0.
     */
    db?: number;
    /**
     * ACL user; absent, Redis's default user.
     */
    username?: string;
    /**
     * Key of a Secret of this namespace that holds the password.
     */
    passwordSecretRef?: {
      /**
       * Name of the Secret.
       */
      name: string;
      /**
       * Key in the Secret.
       */
      key: string;
    };
    /**
     * TLS towards Redis; present, it is used unless enabled is false.
     */
    tls?: {
      /**
       * False keeps the settings without using them.
       */
      enabled: boolean;
      /**
       * Key of a Secret of this namespace that holds the certificate authorities (PEM). Absent, the system's.
       */
      caSecretRef?: {
        /**
         * Name of the Secret.
         */
        name: string;
        /**
         * Key in the Secret.
         */
        key: string;
      };
      /**
       * Secret of type kubernetes.io/tls with the client's certificate, for servers that ask for one.
       */
      certSecretRef?: {
        /**
         * Name of the Secret.
         */
        name: string;
      };
      /**
       * Name that the server's certificate must carry; absent, the host that is dialled.
       */
      serverName?: string;
    };
  };
  /**
   * The workers, a Deployment <metadata.name>-worker that the operator makes and owns.
   */
  worker?: {
    /**
     * Image of the container named worker. Absent, the operator's own, which holds the worker runtime.
     */
    image?: string;
    /**
     * The user's handler module, for the bundled worker runtime.
     */
    handlers?: {
      /**
       * ConfigMap of this namespace whose keys are files; mounted at /app/handlers.
       */
      configMapRef?: {
        /**
         * Name of the ConfigMap.
         */
        name: string;
        /**
         * Key that holds the module; it may import the others.
         */
        key: string;
      };
      /**
       * Path of the module in the image, absolute or from /app; with `asynq-operator dev`, from the manifest's folder.
       */
      path?: string;
    };
    /**
     * Tasks that one worker handles at once.
     */
    concurrency: number;
    /**
     * Longest that a running task may take after the stop signal before it is given back to the queue.
     */
    drainTimeoutSeconds: number;
    /**
     * When tasks that wait in a group are made one, for queues that use groups. The bundled runtime's handler module then exports aggregate.
     */
    groups?: {
      /**
       * A group is ready when its newest task came so long ago.
       */
      gracePeriodSeconds: number;
      /**
       * A group is ready when it has so many tasks, and no more are made one; 0 is no limit.
       */
      maxSize: number;
      /**
       * A group is ready when its oldest task came so long ago; 0 is no limit.
       */
      maxDelaySeconds: number;
    };
    /**
     * Fields of the Deployment itself.
     */
    deployment?: {
      /**
       * Labels to add.
       */
      labels?: {
        [k: string]: string;
      };
      /**
       * Annotations to add.
       */
      annotations?: {
        [k: string]: string;
      };
      /**
       * How a changed template reaches the workers.
       */
      strategy?: {
        /**
         * As in a Deployment.
         */
        type: 'RollingUpdate' | 'Recreate';
        /**
         * As in a Deployment.
         */
        rollingUpdate?: {
          /**
           * A number, or a percentage.
           */
          maxSurge?: number | string;
          /**
           * A number, or a percentage.
           */
          maxUnavailable?: number | string;
        };
      };
      /**
       * Seconds that a new worker must be ready before it counts.
       */
      minReadySeconds?: number;
      /**
       * Old ReplicaSets to keep.
       */
      revisionHistoryLimit?: number;
    };
    /**
     * Overlay on the pod template: containers, initContainers, env and volumes merge by name, volumeMounts by mountPath, ports by containerPort and protocol; every other list replaces.
     */
    template?: {
      /**
       * Labels and annotations of the pods.
       */
      metadata?: {
        /**
         * Labels to add.
         */
        labels?: {
          [k: string]: string;
        };
        /**
         * Annotations to add.
         */
        annotations?: {
          [k: string]: string;
        };
      };
      /**
       * Fields of a PodSpec, checked by the API server against the Deployment that results.
       */
      spec?: {
        [k: string]: unknown;
      };
    };
  };
  /**
   * Instead of worker, a workload that others own; only its number of replicas is changed, through its scale subresource.
   */
  workerRef?: {
    /**
     * Kind of the workload.
     */
    kind: 'Deployment';
    /**
     * Its name, in this namespace.
     */
    name: string;
  };
  /**
   * How many workers there are.
   */
  scaling: {
    /**
     * Auto scales; Observe decides and reports, but sets neither the number of workers (a Deployment is made with none) nor the paused flag; Hold keeps the number as it is, from minReplicas on.
     */
    mode: 'Auto' | 'Observe' | 'Hold';
    /**
     * Never fewer; 0 lets the queue sleep without workers.
     */
    minReplicas: number;
    /**
     * Never more.
     */
    maxReplicas: number;
    /**
     * What the number of workers is to achieve; exactly one. Absent, latencySeconds is 30.
     */
    target?: {
      /**
       * The oldest pending task waits no longer than this.
       */
      latencySeconds?: number;
      /**
       * Tasks waiting or running, per worker.
       */
      tasksPerReplica?: number;
    };
    /**
     * Time without any demand after which the last workers go, if minReplicas is 0.
     */
    scaleToZeroAfterSeconds: number;
    /**
     * While Redis cannot be read: Hold keeps the number of workers; AtLeast also raises it to unknownReplicas. Neither ever lowers it.
     */
    onUnknown: 'Hold' | 'AtLeast';
    /**
     * Number of workers for onUnknown AtLeast.
     */
    unknownReplicas?: number;
  };
  /**
   * How much of the queue may run, over all its workers. Enforced where tasks are taken, by the workers of this package; Go's asynq knows no such limits. Absent, limits set by other hands are left alone.
   */
  limits?: {
    /**
     * Tasks active at once; those that Go's servers run are counted.
     */
    concurrency?: number;
    /**
     * Tasks started per second, fractions allowed. In any t seconds there are at most 1 + ratePerSecond * (t + 0.1) starts.
     */
    ratePerSecond?: number;
  };
}

/**
 * What is.
 */
export interface AsynqQueueStatus {
  /**
   * Generation of the spec that this status speaks of.
   */
  observedGeneration?: number;
  /**
   * Effective name of the queue in Redis.
   */
  queue?: string;
  /**
   * Ready, WorkersAvailable, ScalingActive, ScalingLimited, RedisReachable, Paused; LimitsEnforced is present where there are limits, Reconciling, Stalled and ScalingConflict only while true.
   */
  conditions?: {
    /**
     * Name of the condition.
     */
    type: string;
    /**
     * Whether it holds.
     */
    status: 'True' | 'False' | 'Unknown';
    /**
     * Generation that it was judged by.
     */
    observedGeneration: number;
    /**
     * When status last changed.
     */
    lastTransitionTime: string;
    /**
     * Why, as one word.
     */
    reason: string;
    /**
     * Why, for people.
     */
    message: string;
  }[];
  /**
   * Hash slot of all keys of the queue.
   */
  keySlot?: number;
  /**
   * The master that owns the slot.
   */
  node?: {
    /**
     * Node id (run_id on a standalone server).
     */
    id: string;
    /**
     * host:port as the cluster announces it.
     */
    addr: string;
    /**
     * Its replicas.
     */
    replicas?: {
      /**
       * Node id (run_id on a standalone server).
       */
      id: string;
      /**
       * host:port as the cluster announces it.
       */
      addr: string;
    }[];
  };
  /**
   * Number of tasks by state.
   */
  size?: {
    /**
     * Number of tasks.
     */
    pending: number;
    /**
     * Number of tasks.
     */
    active: number;
    /**
     * Number of tasks.
     */
    scheduled: number;
    /**
     * Number of tasks.
     */
    retry: number;
    /**
     * Number of tasks.
     */
    archived: number;
    /**
     * Number of tasks.
     */
    completed: number;
    /**
     * Number of tasks.
     */
    aggregating: number;
  };
  /**
   * Age of the oldest pending task; absent when it is not known.
   */
  latencySeconds?: number;
  /**
   * Workers asked for now.
   */
  replicas?: number;
  /**
   * Workers that are ready.
   */
  readyReplicas?: number;
  /**
   * Workers that the last decision wants.
   */
  desiredReplicas?: number;
  /**
   * The last decision with all that is needed to recompute it by hand.
   */
  decision?: {
    /**
     * When it was made.
     */
    at: string;
    /**
     * Its result.
     */
    desired: number;
    /**
     * Why, as one word.
     */
    reason: string;
    /**
     * Numbers that it was made from; absent ones are not known.
     */
    inputs?: {
      [k: string]: number;
    };
    /**
     * What changed the number on its way, in order.
     */
    limiters?: {
      /**
       * Name of the limiter.
       */
      name: string;
      /**
       * Number that came to it.
       */
      before: number;
      /**
       * Number that it left.
       */
      after: number;
    }[];
  };
  /**
   * When the number of workers was last changed by the operator.
   */
  lastScaleTime?: string;
}
